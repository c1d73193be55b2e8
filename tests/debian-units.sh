#!/usr/bin/env bash
# Fetches what Debian packages ship as units, for the test that proxyd check finds nothing wrong in them: the packages are not installed, only
# their units are kept, in artifacts/debian-units/PACKAGE. Does nothing when they are there. About 21 MB and five seconds; 60 at most.
set -euo pipefail
cd "$(dirname "$0")/.."

# Daemons with sockets, user units, templates, oneshots, Restart=always, ports on their command lines.
packages=(
  acpid anacron apache2 at avahi-daemon beanstalkd bind9 bluez-obexd chrony clamav-daemon cockpit-ws colord cron cups-daemon dbus-broker
  dbus-user-session dirmngr dmeventd dnsmasq dropbear fail2ban fcgiwrap gpg-agent gpsd haveged krb5-kdc libvirt-daemon-system lighttpd lldpd
  mdadm memcached minidlna mosquitto multipath-tools nfs-kernel-server nginx-common nscd nullmailer ocserv open-iscsi opendkim opendmarc pcscd
  pipewire postgresql-common prosody pulseaudio radvd redis-server rpcbind rsync rtkit samba sane-utils smartmontools snmpd spamd spice-vdagent
  sslh sssd-common sssd-kcm stunnel4 systemd-container systemd-journal-remote systemd-oomd systemd-resolved systemd-timesyncd tang tgt tinc
  tpm2-abrmd transmission-daemon trousers udisks2 unbound usbguard usbmuxd uuid-runtime vnstat vsftpd wireplumber xrdp
)

folder=artifacts/debian-units
if [[ -f $folder/packages && $(<"$folder/packages") == "${packages[*]}" ]]; then exit 0; fi

rm -rf "$folder"
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

download() { (cd "$work" && timeout 60 apt-get -qq -o Acquire::Retries=1 -o APT::Sandbox::User=root download "${packages[@]}"); }
# Without lists, as in a fresh image, or with old ones there is nothing to download from.
if ! download 2>/dev/null; then
  timeout 60 apt-get -qq update
  download
fi

for archive in "$work"/*.deb; do
  name=${archive##*/}
  unpacked=$folder/${name%%_*}
  mkdir -p "$work/all" "$unpacked"
  dpkg-deb -x "$archive" "$work/all"
  find "$work/all" -type f -path '*/systemd/*' \( -name '*.service' -o -name '*.socket' -o -path '*.d/*.conf' \) -printf '%P\0' |
    tar -C "$work/all" --null -T - -cf - | tar -xf - -C "$unpacked"
  rm -rf "$work/all"
done
printf '%s' "${packages[*]}" >"$folder/packages"
