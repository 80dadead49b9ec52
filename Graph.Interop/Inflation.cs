namespace Graphene.Interop;

/// <summary>How much a compressed file may become.</summary>
/// <remarks>
/// A few bytes can be inflated to more than a thousand times as many, so a small file could ask for all memory. Measured data
/// and trained weights shrink to a half at best.
/// </remarks>
internal static class Inflation
{
    private const long AlwaysAllowed = 256 << 20;
    private const long AllowedRatio = 32;

    /// <summary>The most bytes that may come out, when the caller does not say.</summary>
    public static long LimitOf(long compressedBytes) => Math.Max(AlwaysAllowed, AllowedRatio * compressedBytes);
}
