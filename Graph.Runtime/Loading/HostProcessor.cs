using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>What the processor of this process can do, found out without LLVM.</summary>
/// <remarks>
/// An instruction that the processor does not have ends the process, so code from a file says what it needs and is
/// checked before it is loaded. Features have LLVM's names.
/// </remarks>
public static class HostProcessor
{
    // Some versions of LLVM name the 512-bit registers that every processor with AVX-512 has; no bit of the processor tells them apart.
    private const string WideRegisters = "evex512";
    private const string WithWideRegisters = "avx512f";

    private static readonly Lazy<Facts> Detected = new(Detect);

    /// <summary>Processor model and features; equal where the same machine code is the best.</summary>
    /// <remarks>Stable between runs and processes; part of the key under which compiled code is cached.</remarks>
    public static string Fingerprint =>
        $"{Detected.Value.Model} {string.Join(',', Detected.Value.Features.Order(StringComparer.Ordinal))}";

    /// <summary>All features that the processor and the operating system have, in alphabetical order.</summary>
    public static IReadOnlyList<string> Features => [.. Detected.Value.Features.Order(StringComparer.Ordinal)];

    /// <summary>
    /// Whether the processor has vectors of 512 bits and carries their instructions out as two of 256 bits, so that half a vector takes
    /// half the time: Zen 4.
    /// </summary>
    public static bool HalvesVectors =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && X64Processor.Host.IsZen3Or4 && Has(WithWideRegisters);

    /// <summary>Whether the processor, and the operating system where it must save registers, has a feature.</summary>
    /// <param name="feature">LLVM's name, such as <c>avx512f</c>. Unknown ones are not there.</param>
    public static bool Has(string feature)
    {
        bool isThere = RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? X64Features.Has(X64Processor.Host, feature)
            : IsDetected(feature);
        return isThere || (feature == WideRegisters && Has(WithWideRegisters));
    }

    /// <summary>Which features are required and not there.</summary>
    /// <param name="features">As LLVM writes them: <c>+avx2,-sse4a</c>. Those with a minus are not required.</param>
    public static IReadOnlyList<string> MissingFeatures(string features) => Missing(features);

    /// <summary>As <see cref="MissingFeatures"/>, by hand: each start asks this, and waits for every method of the framework.</summary>
    internal static string[] Missing(string features)
    {
        string[] missing = [];
        int end;
        for (int begin = 0; begin < features.Length; begin = end + 1)
        {
            end = begin;
            while (end < features.Length && features[end] != ',')
            {
                end++;
            }
            string feature = features.Substring(begin, end - begin).Trim();
            if (feature.Length > 0 && feature[0] == '+' && !Has(feature.Substring(1)))
            {
                missing = Append(missing, feature.Substring(1));
            }
        }
        return missing;
    }

    private static string[] Append(string[] list, string last)
    {
        var longer = new string[list.Length + 1];
        Array.Copy(list, longer, list.Length);
        longer[^1] = last;
        return longer;
    }

    // Apart, because the types that a method takes are loaded when it begins.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsDetected(string feature) => Detected.Value.Features.Contains(feature);

    private static Facts Detect()
    {
        switch (RuntimeInformation.ProcessArchitecture)
        {
            case Architecture.X64:
                return new Facts(X64Processor.Host.Model, X64Features.Detect(X64Processor.Host));
            case Architecture.Arm64:
                (string model, HashSet<string> features) = Arm64Features.Detect();
                return new Facts(model, features);
            case var other:
                return new Facts(other.ToString(), []);
        }
    }

    private sealed record Facts(string Model, IReadOnlyCollection<string> Features);
}
