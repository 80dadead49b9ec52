using System.Globalization;
using Graphene.Codegen.Llvm;

namespace Graphene.Codegen;

/// <summary>The caches of one processor, which decide how large the blocks of a schedule are. No result depends on them.</summary>
/// <param name="FirstLevelInBytes">The data cache nearest to the arithmetic.</param>
/// <param name="FirstLevelWays">How many lines whose addresses are equal modulo size / ways it holds.</param>
/// <param name="SecondLevelInBytes">The part of the second cache that a processor has for itself.</param>
public sealed record CacheSizes(long FirstLevelInBytes, int FirstLevelWays, long SecondLevelInBytes)
{
    /// <summary>What code for a machine that is not known counts on: no current server or laptop has less.</summary>
    public static CacheSizes Typical { get; } = new(32 * 1024, 8, 512 * 1024);

    /// <summary>What code for a described machine counts on, wherever it is compiled: what the smaller ones of its kind have.</summary>
    /// <param name="target">The machine.</param>
    /// <remarks>
    /// x86-64 with AVX-512: 32 KiB of 8 ways and 1 MiB (Skylake-X, Zen 4). 64-bit ARM: 64 KiB of 4 ways and 512 KiB (Cortex-A76,
    /// Neoverse N1). RISC-V and 32-bit ARM: 32 KiB of 4 ways and 256 KiB. All others, WebAssembly too: <see cref="Typical"/>.
    /// </remarks>
    public static CacheSizes Of(LlvmTarget target) => target.Architecture switch
    {
        LlvmArchitecture.X64 when target.VectorBits >= 512 => new(32 * 1024, 8, 1024 * 1024),
        LlvmArchitecture.Arm64 => new(64 * 1024, 4, 512 * 1024),
        LlvmArchitecture.RiscV64 or LlvmArchitecture.Arm32 => new(32 * 1024, 4, 256 * 1024),
        _ => Typical,
    };

    /// <summary>The machine that runs now, as Linux describes it; <see cref="Typical"/> elsewhere.</summary>
    public static CacheSizes OfThisMachine() => OperatingSystem.IsLinux()
        ? Read("/sys/devices/system/cpu/cpu0/cache")
        : Typical;

    /// <summary>How many lines that lie a number of bytes apart from one to the next fit the first cache together.</summary>
    /// <param name="strideInBytes">Not negative.</param>
    public long LinesAtStride(long strideInBytes)
    {
        long wayInBytes = FirstLevelInBytes / FirstLevelWays;
        long period = wayInBytes / Gcd(wayInBytes, strideInBytes);
        return Math.Min(period, Math.Max(1, wayInBytes / LineInBytes)) * FirstLevelWays;
    }

    /// <summary>The size of a cache line.</summary>
    public const int LineInBytes = 64;

    // One folder for each cache: index0, index1, ...; what is not there keeps its typical value.
    internal static CacheSizes Read(string folder)
    {
        CacheSizes sizes = Typical;
        for (int i = 0; File.Exists(Path.Combine(folder, $"index{i.ToString(CultureInfo.InvariantCulture)}", "level")); i++)
        {
            string cache = Path.Combine(folder, $"index{i.ToString(CultureInfo.InvariantCulture)}");
            string Text(string name) => File.ReadAllText(Path.Combine(cache, name)).Trim();
            long bytes = Bytes(Text("size"));
            int ways = int.TryParse(Text("ways_of_associativity"), CultureInfo.InvariantCulture, out int n) ? n : 0;
            sizes = (Text("level"), Text("type")) switch
            {
                ("1", not "Instruction") when bytes > 0 && ways > 0 && bytes % (ways * LineInBytes) == 0
                    => sizes with { FirstLevelInBytes = bytes, FirstLevelWays = ways },
                ("2", not "Instruction") when bytes > 0 => sizes with { SecondLevelInBytes = bytes },
                _ => sizes,
            };
        }
        return sizes;
    }

    // "48K", "2M"; 0 for anything else.
    private static long Bytes(string text) =>
        text.Length > 1 && long.TryParse(text[..^1], CultureInfo.InvariantCulture, out long number) && number is > 0 and < 1 << 20
            ? text[^1] switch { 'K' => number << 10, 'M' => number << 20, _ => 0 }
            : 0;

    private static long Gcd(long a, long b) => b == 0 ? a : Gcd(b, a % b);
}
