#!/bin/bash
# What dracut collects for the node's initrd: systemd and drivers are dracut's own modules, the rest stands here.
# shellcheck disable=SC2154 # moddir, initdir and systemdsystemunitdir are dracut's

check() {
    require_binaries bash curl sha256sum lsblk e2fsck timeout || return 1
    # Only where it is asked for by name.
    return 255
}

depends() {
    echo systemd systemd-initrd systemd-journald systemd-udevd systemd-tmpfiles systemd-networkd \
        kernel-modules kernel-network-modules udev-rules bash base fs-lib
}

installkernel() {
    hostonly='' instmods squashfs overlay loop ext4 vfat nls_cp437 nls_iso8859-1 nls_ascii isofs
    # UEFI HTTP Boot of an ISO leaves it in memory, described by the firmware's NFIT table: /dev/pmem0.
    hostonly='' instmods nfit nd_pmem nd_btt libnvdimm
    # What bond=, vlan= and bridge= need.
    hostonly='' instmods bonding 8021q bridge stp llc
    # Sticks and drives behind USB, whatever the controller.
    hostonly='' instmods usb_storage uas sr_mod cdrom sd_mod
}

install_programs() {
    inst_multiple bash curl sha256sum lsblk blkid blockdev losetup mount umount mountpoint findfs e2fsck fsck.ext4 \
        timeout stat head cat mkdir rm mv ln chmod chroot sleep sync uname sed ip modprobe udevadm systemctl
    # For URLs by https; one bundle, whatever its owner split it from.
    inst_simple /etc/ssl/certs/ca-certificates.crt
    # Names are looked up by libc's own resolver, which dlopens nothing else for them.
    inst_libdir_file 'libnss_dns.so*' 'libnss_files.so*'
    printf 'hosts: files dns\n' >"$initdir/etc/nsswitch.conf"
}

install_scripts() {
    local file
    for file in console addresses bond links settle network_files cmdline network download device root config \
        plugins rescue pace; do
        inst_simple "$moddir/lib/$file.sh" "/usr/lib/nodecrust/initrd/$file.sh"
    done
    for file in root render emergency; do
        inst_script "$moddir/nodecrust-$file.sh" "/usr/lib/nodecrust/initrd/nodecrust-$file.sh"
    done
}

install_units() {
    local target=initrd-root-fs.target
    for unit in nodecrust-root nodecrust-render; do
        inst_simple "$moddir/$unit.service" "$systemdsystemunitdir/$unit.service"
    done
    mkdir -p "$initdir$systemdsystemunitdir/$target.requires" "$initdir$systemdsystemunitdir/$target.wants"
    ln -sf ../nodecrust-root.service "$initdir$systemdsystemunitdir/$target.requires/"
    # Only wanted: a failure to render must not keep the node from starting.
    ln -sf ../nodecrust-render.service "$initdir$systemdsystemunitdir/$target.wants/"
    # In place of systemd's shell, whichever of the two targets is reached.
    for unit in emergency rescue; do
        rm -f "$initdir$systemdsystemunitdir/$unit.service"
        cp "$moddir/emergency.service" "$initdir$systemdsystemunitdir/$unit.service"
    done
    rm -f "$initdir/usr/lib/systemd/systemd-sulogin-shell"
}

# networkd is started by our script and only where the image comes by URL; dracut's defaults for it (DHCP wherever
# there is a card, waiting to be online) would be in the way.
quieten_network() {
    local generator="$initdir$systemdsystemunitdir/systemd-network-generator.service"
    rm -f "$initdir"/etc/systemd/system/*.wants/systemd-networkd* \
        "$initdir"/etc/systemd/system/dbus-org.freedesktop.network1.service \
        "$initdir"/etc/systemd/network/zzzz-dracut-default.network \
        "$initdir"/usr/lib/systemd/network/80-{container,vm,6rd,wifi}*.network
    # By DHCPv6 too a node is known by its MAC: the machine ID of the initrd is another at every boot.
    mkdir -p "$initdir/etc/systemd/networkd.conf.d"
    printf '[DHCPv6]\nDUIDType=link-layer\n' >"$initdir/etc/systemd/networkd.conf.d/nodecrust.conf"
    # Names of cards are all that is left to it: ip=, bond= and their like are read by us.
    mkdir -p "$generator.d"
    {
        printf '[Unit]\n'
        printf 'ConditionKernelCommandLine=|%s\n' ifname net.ifname_policy
    } >"$generator.d/nodecrust.conf"
    # Else the driver makes a bond0 of its own when it is loaded, which then can't be made as it was asked for.
    mkdir -p "$initdir/etc/modprobe.d"
    printf 'options bonding max_bonds=0\n' >"$initdir/etc/modprobe.d/nodecrust.conf"
}

# Every program that starts before udev costs the boot its time: devtmpfs makes the nodes, our script loads what it
# needs, and the settings of the kernel are made by the node itself after switch-root.
leave_out_early_work() {
    local unit
    for unit in kmod-static-nodes systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-tmpfiles-setup-dev-early \
        systemd-sysctl systemd-modules-load; do
        rm -f "$initdir$systemdsystemunitdir"/*.wants/"$unit.service"
    done
    # Neither disks nor passwords are found by these: our command line says where the root is.
    rm -f "$initdir"/usr/lib/systemd/system-generators/systemd-gpt-auto-generator \
        "$initdir$systemdsystemunitdir"/*.wants/systemd-ask-password-*
}

# What udev knows of the devices goes on to the node, whose mounts then needn't wait until all of them were asked
# again: on a slow machine that outlasts the time that fstab gives them.
keep_device_database() {
    rm -f "$initdir$systemdsystemunitdir"/*.wants/initrd-udevadm-cleanup-db.service \
        "$initdir$systemdsystemunitdir"/initrd-udevadm-cleanup-db.service
}

install() {
    install_programs
    install_scripts
    install_units
    quieten_network
    leave_out_early_work
    keep_device_database
    # 13 MB of names that nothing in the initrd asks for.
    rm -f "$initdir"/usr/lib/udev/hwdb.bin "$initdir"/etc/udev/hwdb.bin
    : >"$initdir/etc/initrd-release"
    printf 'NAME=Nodecrust\nID=nodecrust\nPRETTY_NAME="Nodecrust (initrd)"\n' >"$initdir/etc/initrd-release"
}
