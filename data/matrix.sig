chevet-signature: 1
key: development 479ea0bd
ed25519: 2XO+HKE/HVtHbWDmmQ0VMLFS1vLn+7OSbpcTOaKOnoHdi86r4gxGgDAMdnfIwQBQjeR5Xdu7gvX7kigjD061AQ==
