//! The card in the contact reader: a reader thread over PC\/SC, T=0, IAS-ECC, PKCS#15, CPS generations.
