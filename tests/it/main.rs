
mod vault;
