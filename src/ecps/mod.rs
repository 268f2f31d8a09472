//! Pro Santé Connect CIBA, by telephone. Online only, memory only. Not built yet: the idle page does not offer it.
