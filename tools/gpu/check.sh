#!/bin/sh
# Checks Graphene on a machine with an NVIDIA GPU that has neither .NET nor LLVM nor a network.
#
#   tools/gpu/check.sh pack [OUT.tar.gz] [--target sm_80,sm_90a]   here: one file with a runner, code and values; needs the SDK and libLLVM
#   ./check.sh check [--device cuda|interpreter] [--only NAME]     there, in the unpacked folder: the numeric suite, then measurements
#                    [--seconds N]                                 beside the PyTorch, JAX and Triton of the python3 that is there;
#                                                                  a case may take N seconds (300)
#
# Exit status: 0 everything as it should be, 1 something differs, 2 it cannot run or nothing ran. report.md says what ran, however it ended.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

pack() {
    out=$PWD/graphene-gpu-check.tar.gz
    case ${1:-} in ''|--*) ;; /*) out=$1; shift ;; *) out=$PWD/$1; shift ;; esac
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir "$folder/gpu-check"
    dotnet publish "$here/Graphene.GpuCheck.csproj" -c Release -r linux-x64 --self-contained true -o "$folder/publish" --artifacts-path "$folder/artifacts" -nologo -v q \
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

fail() {
    echo "check.sh: $1" >&2
    exit 2
}

# What is wrong before anything runs, in words: the machine, the folder, the runner.
probe() {
    [ "$(uname -sm)" = "Linux x86_64" ] || fail "the runner is for Linux on x86-64, and this is $(uname -sm)"
    [ -f "$here/Graphene.GpuCheck" ] || fail "there is no Graphene.GpuCheck beside this script: unpack the whole file that 'pack' made, and run it there"
    [ -d "$here/numeric" ] || fail "there is no folder 'numeric' beside this script: unpack the whole file that 'pack' made"
    { : > "$here/report.md"; } 2> /dev/null || fail "cannot write to $here: unpack it where you may write"
    [ -x "$here/Graphene.GpuCheck" ] || chmod +x "$here/Graphene.GpuCheck" || fail "Graphene.GpuCheck cannot be made executable"
    status=0
    said=$("$here/Graphene.GpuCheck" starts 2>&1) || status=$?
    [ "$status" -eq 0 ] || fail "the runner does not start here (status $status). It needs glibc 2.27 or later and a folder that is not mounted \
'noexec', nothing else. It said: $said"
}

# Times of the peers, each in a process of its own that may fail, hang or not be there.
peers() {
    : > "$here/peers.tsv"
    command -v python3 > /dev/null || { echo "check.sh: there is no python3, so nothing is measured beside Graphene" >&2; return 0; }
    limit=
    if command -v timeout > /dev/null; then limit="timeout -k 10 900"; fi
    for peer in torch triton jax; do
        status=0
        $limit python3 "$here/peers.py" "$peer" >> "$here/peers.tsv" || status=$?
        [ "$status" -eq 0 ] || echo "check.sh: the times of $peer ended with status $status; what it printed by then counts" >&2
    done
}

lines() { if [ -f "$1" ]; then wc -l < "$1"; else echo 0; fi; }

check() {
    device=cuda
    case " $* " in *" interpreter "*) device=interpreter ;; esac
    probe
    results=$here/results-$device.tsv
    rm -f "$results" "$here/peers.tsv"
    trap '"$here/Graphene.GpuCheck" report "$here" --device "$device" || true; exit 130' INT TERM
    # A kernel that fails takes the context of its process along, or the process itself: the next process goes on behind it.
    while :; do
        before=$(lines "$results")
        status=0
        "$here/Graphene.GpuCheck" check "$here" "$@" || status=$?
        case $status in 0 | 1) break ;; 2) exit 2 ;; esac
        if [ "$(lines "$results")" -le "$((before + 1))" ]; then
            "$here/Graphene.GpuCheck" report "$here" --device "$device" || true
            fail "the runner ended with status $status before a case began, so it is not started again; report.md says what ran before"
        fi
    done
    # Last, for what they take is not ours; the report is written once more, with their times.
    if [ "$device" = cuda ]; then
        peers
        "$here/Graphene.GpuCheck" report "$here" --device "$device" || exit $?
    fi
    exit "$status"
}

case ${1:-} in
    pack) shift; pack "$@" ;;
    check) shift; check "$@" ;;
    *) sed -n '2,11p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
