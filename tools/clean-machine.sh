#!/usr/bin/env bash
# Tries ./graphene on a machine that has nothing but the .NET SDK, without harming this one: a private mount namespace with
# an overlay over the whole file system, in which libLLVM 19 is removed with dpkg, the home folder is empty (NuGet.Config
# apart, which says where packages come from) and the repository is a fresh clone. Needs root, unshare and overlayfs; takes
# 6 GiB of memory and several minutes.
#
#   tools/clean-machine.sh demo          ./graphene demo, which has to install libLLVM and build
#   tools/clean-machine.sh test [ARGS]   the whole suite
#   tools/clean-machine.sh errors        no SDK; a runtime without SDK; no libLLVM and no rights to install it
#   tools/clean-machine.sh ci            .ci/run with an empty package folder
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [ -z "${GRAPHENE_CLEAN_MACHINE:-}" ]; then
    exec env GRAPHENE_CLEAN_MACHINE=1 unshare --mount -- "$0" "$@"
fi

space="$(mktemp -d)"
mount -t tmpfs -o size=6G tmpfs "$space"
mkdir "$space/upper" "$space/work" "$space/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$space/upper,workdir=$space/work" "$space/root"
machine="$space/root"
for folder in proc dev sys; do
    mount --rbind "/$folder" "$machine/$folder"
done
for file in resolv.conf hosts; do
    cp -L "/etc/$file" "$machine/etc/$file" 2>/dev/null || true # these may be mounts of their own, which the overlay lacks
done
mkdir -p "$machine/home/new/.nuget/NuGet" "$machine/tmp/empty"
cp "${HOME:-/root}/.nuget/NuGet/NuGet.Config" "$machine/home/new/.nuget/NuGet/" 2>/dev/null || true
git clone -q "$ROOT" "$machine/home/new/graphene"
chroot "$machine" dpkg -r libllvm19 >/dev/null

# The variables that carry proxies and certificates of this machine, and nothing else.
network="$(env | grep -E '^(NUGET_CERT_REVOCATION_MODE|SSL_CERT_[A-Z]+|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)=' || true)"
as() {
    local user="$1"
    shift
    # shellcheck disable=SC2086  # the variables are a list of words
    chroot "$machine" setpriv --reuid="$user" --regid="$user" --clear-groups \
        env -i HOME=/home/new TMPDIR=/tmp/empty PATH=/usr/sbin:/usr/bin:/sbin:/bin $network \
        bash -c 'cd /home/new/graphene && "$@"; echo "exit status $?"' bash "$@"
}

case "${1:-}" in
    demo)
        as 0 ./graphene demo
        ;;
    test)
        as 0 ./graphene "$@"
        ;;
    ci)
        as 0 env GRAPHENE_CI_EMPTY_CACHE=1 .ci/run
        ;;
    errors)
        dotnet="$(dirname "$(chroot "$machine" readlink -f /usr/bin/dotnet)")"
        echo "== no libLLVM, no rights"
        rm -f "$machine/usr/bin/sudo"
        as 65534 ./graphene demo
        echo "== a runtime, no SDK"
        mv "$machine$dotnet/sdk" "$machine$dotnet/sdk.away"
        as 0 ./graphene demo
        echo "== no .NET"
        mv "$machine$dotnet" "$machine$dotnet.away"
        rm -f "$machine/usr/bin/dotnet"
        as 0 ./graphene demo
        ;;
    *)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
