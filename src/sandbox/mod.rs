//! A virtual CPS and a small DMP, so that all of it runs on any desk. Feature `sandbox`; never in an image.
