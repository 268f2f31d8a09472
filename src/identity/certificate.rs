//! What an IGC-Santé certificate says (facts/card §2): multi-valued RDNs, profession, card type, card id, key usages.
