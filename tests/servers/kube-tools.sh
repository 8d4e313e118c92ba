#!/usr/bin/env bash
# Builds kube-apiserver from Debian's source package and fetches Debian's etcd, for tests/sources/live/test_apiserver.py.
# Once a machine, some minutes; both stay in a cache folder outside the clone. On Debian 12, as root.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/irsa-doctor-tests/kubernetes"
if [ -x "$cache/kube-apiserver" ] && [ -x "$cache/etcd" ]; then
    echo "$cache has them"
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! grep -q bookworm /etc/os-release; then
    echo "kube-tools: this needs Debian 12 and root; or set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
    dpkg-dev etcd-server gcc golang-1.19-go jq libc6-dev make patch rsync which xz-utils > /dev/null

# the sources of the machine's own mirror, without a change to its settings
mkdir -p "$work/lists/partial"
{
    cat /etc/apt/sources.list 2> /dev/null || true
    cat /etc/apt/sources.list.d/*.list 2> /dev/null || true
} | sed -n 's/^deb /deb-src /p' > "$work/src.list"
mkdir "$work/parts"
for file in /etc/apt/sources.list.d/debian*.sources; do
    if [ -e "$file" ]; then
        sed 's/^Types:.*/Types: deb-src/' "$file" > "$work/parts/$(basename "$file")"
    fi
done
apt=(apt-get -qq -o APT::Sandbox::User=root -o "Dir::State::lists=$work/lists"
    -o "Dir::Etc::sourcelist=$work/src.list" -o "Dir::Etc::sourceparts=$work/parts")
# a source that cannot be had matters only where it is the one with the package
"${apt[@]}" update || true

export GOPATH="$work/go" GOCACHE="$work/gocache" GO111MODULE=off GOFLAGS= CGO_ENABLED=0 PATH="/usr/lib/go-1.19/bin:$PATH"
mkdir -p "$GOPATH/src/k8s.io" "$cache"
chmod 755 "$work"
cd "$GOPATH/src/k8s.io"
"${apt[@]}" source kubernetes > /dev/null
rm -f ./*.dsc ./*.tar.*
mv kubernetes-* kubernetes
cd kubernetes
make generated_files > "$work/log" 2>&1 || { tail -50 "$work/log" >&2; exit 1; }
go build -o "$work/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver

install -m 755 "$work/kube-apiserver" "$cache/kube-apiserver"
install -m 755 "$(command -v etcd)" "$cache/etcd"
echo "built: $cache"
