#!/bin/sh
# Checks Graphene on a machine with an NVIDIA GPU that has neither .NET nor LLVM nor a network.
#
#   tools/gpu/check.sh pack [OUT.tar.gz] [--target sm_80,sm_90a]   here: one file with a runner, code and values; needs the SDK and libLLVM
#   ./check.sh check [--device cuda|interpreter] [--only NAME]     there, in the unpacked folder: the numeric suite, then measurements
#                                                                  beside the PyTorch, JAX and Triton of the python3 that is there
#
# Exit status: 0 everything as it should be, 1 something differs (report.md and results-*.tsv say what), 2 it cannot run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

pack() {
    out=$PWD/graphene-gpu-check.tar.gz
    case ${1:-} in ''|--*) ;; /*) out=$1; shift ;; *) out=$PWD/$1; shift ;; esac
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir "$folder/gpu-check"
    dotnet publish "$here/Graphene.GpuCheck.csproj" -c Release -r linux-x64 --self-contained true -o "$folder/publish" -nologo -v q \
        -p:PublishSingleFile=true -p:EnableCompressionInSingleFile=true -p:Precompile=false -p:DebugType=none \
        -p:GenerateDocumentationFile=false -p:RunAnalyzers=false -p:RestoreLockedMode=false -p:NuGetLockFilePath=obj/publish.lock.json
    "$folder/publish/Graphene.GpuCheck" pack "$folder/gpu-check" "$@" || [ $? -eq 1 ]
    case "$*" in *interpreter*) ;; *) "$folder/publish/Graphene.GpuCheck" pack "$folder/gpu-check" --device interpreter --only product ;; esac
    cp "$folder/publish/Graphene.GpuCheck" "$here/check.sh" "$here/peers.py" "$folder/gpu-check/"
    tar -C "$folder" -czf "$out" gpu-check
    size=$(wc -c < "$out")
    echo "$out: $((size / 1000000)) MB"
    [ "$size" -lt 60000000 ] || { echo "check.sh: more than the 60 MB that it may have" >&2; exit 1; }
}

check() {
    device=cuda
    case " $* " in *" interpreter "*) device=interpreter ;; esac
    rm -f "$here/results-$device.tsv"
    if [ "$device" = cuda ] && command -v python3 > /dev/null; then
        python3 "$here/peers.py" > "$here/peers.tsv" || true
    fi
    # A kernel that fails takes the context of its process along: the next process goes on behind it.
    while :; do
        status=0
        "$here/Graphene.GpuCheck" check "$here" "$@" || status=$?
        [ "$status" -eq 3 ] || exit "$status"
    done
}

case ${1:-} in
    pack) shift; pack "$@" ;;
    check) shift; check "$@" ;;
    *) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
