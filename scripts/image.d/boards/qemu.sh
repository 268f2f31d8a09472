# `-M virt`: where an image is tried. Sourced.

# U-Boot comes from QEMU's own command line; the disk is the first virtio one.
BOOT_DEVICE='virtio 0'
CONSOLE=ttyAMA0
KERNEL_PACKAGE=linux-image-arm64
KERNEL_SUITE=trixie
# What the initrd needs to find the root, and what the system needs after it.
INITRD_MODULES=(virtio_pci virtio_blk squashfs dm-verity sha256 sha256_arm64 sha2_ce)
ROOT_MODULES=(
  virtio_net virtio_gpu virtio_input virtio_rng evdev xhci-pci usbhid usb-storage uas dm-crypt xts aes_arm64 aes_ce_blk ext4 vfat
  nls_ascii nls_cp437 nf_tables nft_ct nft_meta nf_conntrack nfnetlink tcp_bbr sch_fq i6300esb softdog loop
)
