using System.Runtime.Intrinsics.Arm;

namespace Graphene.Runtime;

/// <summary>Features of 64-bit ARM processors under LLVM's names.</summary>
/// <remarks>
/// Programs may not read the identification registers. Linux lists the features in <c>/proc/cpuinfo</c>; elsewhere the
/// .NET runtime knows the ones that it uses itself.
/// </remarks>
internal static class Arm64Features
{
    // Names of Linux (arch/arm64/include/uapi/asm/hwcap.h, in lower case) and of LLVM.
    private static readonly (string Linux, string Llvm)[] Names =
    [
        ("fp", "fp-armv8"), ("asimd", "neon"), ("crc32", "crc"), ("atomics", "lse"), ("asimdrdm", "rdm"),
        ("asimddp", "dotprod"), ("fphp", "fullfp16"), ("asimdfhm", "fp16fml"), ("aes", "aes"), ("sha2", "sha2"),
        ("sha3", "sha3"), ("sm4", "sm4"), ("sve", "sve"), ("sve2", "sve2"), ("i8mm", "i8mm"), ("bf16", "bf16"),
        ("lrcpc", "rcpc"), ("fcma", "complxnum"), ("jscvt", "jsconv"), ("flagm", "flagm"), ("sb", "sb"),
    ];

    public static (string Model, HashSet<string> Features) Detect()
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                return Parse(File.ReadLines("/proc/cpuinfo"));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Some sandboxes hide /proc; the runtime's own knowledge remains.
        }

        return ("arm64", FromRuntime());
    }

    /// <summary>Reads the lines of a <c>/proc/cpuinfo</c>. A feature counts if all cores have it.</summary>
    public static (string Model, HashSet<string> Features) Parse(IEnumerable<string> lines)
    {
        var models = new SortedSet<string>(StringComparer.Ordinal);
        HashSet<string>? common = null;
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':');
            string key = colon < 0 ? string.Empty : line[..colon].Trim();
            string value = line[(colon + 1)..].Trim();
            switch (key)
            {
                case "Features":
                    string[] features = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    common ??= [.. features];
                    common.IntersectWith(features);
                    break;
                case "CPU implementer" or "CPU part" or "CPU variant":
                    models.Add($"{key[4]}{value}");
                    break;
            }
        }

        return ($"arm64 {string.Join(' ', models)}",
            [.. Names.Where(n => common is not null && common.Contains(n.Linux)).Select(n => n.Llvm), "reserve-x18"]);
    }

    private static HashSet<string> FromRuntime()
    {
        (bool There, string Name)[] known =
        [
            (true, "reserve-x18"),
            (AdvSimd.IsSupported, "neon"), (AdvSimd.IsSupported, "fp-armv8"), (Crc32.IsSupported, "crc"),
            (Aes.IsSupported, "aes"), (Sha256.IsSupported, "sha2"), (Dp.IsSupported, "dotprod"),
            (Rdm.IsSupported, "rdm"),
        ];
        return [.. known.Where(k => k.There).Select(k => k.Name)];
    }
}
