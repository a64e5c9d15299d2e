#!/usr/bin/env bash
# Puts the next Debian with its kitty into target/next-debian, for tests/real: kitty shows pictures
# inside tmux from 0.31 on. Needs root and Debian's mirror.
set -euo pipefail
cd "$(dirname "$0")/../.."

root=target/next-debian
[ -x "$root/usr/bin/kitty" ] && exit
command -v debootstrap >/dev/null || apt-get install -qy --no-install-recommends debootstrap
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase trixie "$root" "$mirror"
chroot "$root" apt-get install -qy --no-install-recommends \
  kitty libgl1 libglx-mesa0 libgl1-mesa-dri fonts-dejavu-core
