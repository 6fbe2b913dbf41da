# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Debian's stock kernel under QEMU without KVM, on a folder of this machine as its root: read-only by 9p, written to in the
# guest's memory. For tests/vm/run, tests/vm/service and tests/vm/arm64, which source it; $vm is where things are kept, $vm_append
# what the kernel is told besides.

vm_machine=(qemu-system-x86_64 -M pc -cpu max)
vm_console=ttyS0
vm_busybox=$(command -v busybox)
# In an order that each finds its symbols.
vm_modules="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p
	overlay crc16 mbcache jbd2 crc32c_generic ext4 virtio_blk"

vm_needs() { # function that is told a reason and ends
	[ "$(uname -m)" = x86_64 ] || "$1" "its kernel is one for x86_64"
	[ "$(id -u)" = 0 ] || "$1" "it reads the whole root file system: not started as root"
	command -v "${vm_machine[0]}" >/dev/null || "$1" "no ${vm_machine[0]} (packages qemu-system-x86, qemu-system-arm)"
	command -v busybox >/dev/null || "$1" "no busybox (package busybox-static)"
	vm_kernel >"$vm.log" 2>&1 || "$1" "no kernel could be downloaded by apt-get, see $vm.log"
}

# The kernel: downloaded and unpacked, never installed.
vm_kernel() (
	mkdir -p "$vm" && cd "$vm" || return 1
	[ -d kernel/boot ] && return 0
	package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*-amd64\)$/\1/p' | tail -n 1)
	[ -n "$package" ] && apt-get download "$package" && dpkg-deb -x "$package"_*.deb kernel.new && rm -f "$package"_*.deb &&
		mv kernel.new kernel
)

# Programs of packages that this machine need not have, unpacked into $vm/tools and never installed.
vm_tools() ( # package...
	mkdir -p "$vm/tools.new" && cd "$vm/tools.new" || return 1
	for package; do
		[ -e "../tools/.$package" ] && continue
		apt-get download "$package" && dpkg-deb -x "$package"_*.deb . && rm -f "$package"_*.deb && touch ".$package" || return 1
	done
	mkdir -p ../tools && cp -a . ../tools/ && rm -rf ../tools.new
)

# Boots, and returns when the machine is off; what it said is in $vm/serial.
vm_boot() { # root, seconds at most, command of the guest...
	local root=$1 patience=$2 m
	shift 2
	rm -rf "$vm/root" && mkdir -p "$vm/root"/{bin,mod,proc,sys,dev,host,up,new}
	cp "$vm_busybox" "$vm/root/bin/busybox"
	for m in $vm_modules; do
		cp "$(find "$vm/kernel/lib/modules" -name "$m.ko")" "$vm/root/mod/" || return 1
	done
	cat >"$vm/root/init" <<-EOF
		#!/bin/busybox sh
		b=/bin/busybox
		\$b mount -t proc none /proc
		for m in $(echo $vm_modules); do \$b insmod /mod/\$m.ko || echo "no module \$m"; done
		\$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144 host /host
		\$b mount -t tmpfs none /up && \$b mkdir /up/upper /up/work
		\$b mount -t overlay -o lowerdir=/host,upperdir=/up/upper,workdir=/up/work none /new
		\$b mount --move /proc /new/proc
		# not chroot: a process in one cannot make a user namespace
		exec \$b switch_root /new $*
	EOF
	ln -s busybox "$vm/root/bin/sh"
	chmod 755 "$vm/root/init"
	(cd "$vm/root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$vm/initrd"
	truncate -s 1G "$vm/disk" # thin
	timeout "$patience" "${vm_machine[@]}" -accel tcg,thread=multi -smp 2 -m 2048 -nodefaults -nographic -no-reboot \
		-serial stdio -kernel "$vm"/kernel/boot/vmlinuz-* -initrd "$vm/initrd" \
		-append "console=$vm_console quiet panic=-1 no_timer_check rdinit=/init ${vm_append:-}" \
		-virtfs local,path="$root",mount_tag=host,security_model=none,readonly=on,multidevs=remap \
		-drive file="$vm/disk",format=raw,if=virtio </dev/null 2>&1 | sed -u 's/\r//g' >"$vm/serial"
	return 0 # vm_said tells by what was said
}

vm_said() { # what
	grep -E '^(ok|not ok|skip|#) ' "$vm/serial"
	grep -q '^vm: through$' "$vm/serial" || echo "not ok $1: did not come to its end, see $vm/serial"
	! grep -q '^not ok ' "$vm/serial" && grep -q '^vm: through$' "$vm/serial"
}
