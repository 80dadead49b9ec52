using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>A map whose numbers have values, and what it is a map of.</summary>
/// <param name="Map">What the kernel says of it: element type, box, options.</param>
/// <param name="Source">
/// The memory from the argument's beginning on, or from <paramref name="Offset"/> elements before the tensor's.
/// </param>
/// <param name="Offset">Where the first element lies, in elements.</param>
/// <param name="Sizes">Elements in each dimension, the fastest first.</param>
/// <param name="Strides">The distance of neighbours, in elements, of all dimensions; 1 for the first.</param>
internal sealed record BoundTensorMap(KTensorMap Map, Memory<byte> Source, long Offset, long[] Sizes, long[] Strides)
{
    /// <summary>Says what the machine would not take; null for nothing.</summary>
    public string? Problem
    {
        get
        {
            int size = Map.Source.Element.SizeInBytes();
            return Sizes.Any(s => s < 0) ? $"sizes {string.Join(", ", Sizes)}"
                : Offset * size % GpuTensorMap.Granule != 0
                    ? $"its first element lies {Offset * size} bytes behind the argument's beginning"
                : Strides.Skip(1).Any(s => s <= 0 || s * size % GpuTensorMap.Granule != 0)
                    ? $"strides of {string.Join(", ", Strides.Skip(1).Select(s => s * size))} bytes, no multiples of {GpuTensorMap.Granule}"
                : null;
        }
    }

    /// <summary>The maps of a kernel on given memory.</summary>
    /// <exception cref="CompilerBugException">The machine would not take one of them.</exception>
    public static BoundTensorMap[] Of(Kernel kernel, IReadOnlyList<Memory<byte>> arguments, Func<KExpr, long> evaluate) =>
        [.. kernel.Maps.Select(m => Checked(kernel, new BoundTensorMap(
            m, arguments[m.Source.Argument], evaluate(m.Offset), [.. m.Sizes.Select(evaluate)], [1, .. m.Strides.Select(evaluate)])))];

    /// <summary>A map that the machine takes. One of nothing is never used, and may have any strides.</summary>
    public static BoundTensorMap Checked(Kernel kernel, BoundTensorMap map) => map.Sizes.Contains(0) || map.Problem is not { } problem
        ? map
        : throw new CompilerBugException("Kernel IR interpreter", $"kernel '{kernel.Name}': the map {map.Map} has {problem}");

    /// <summary>Writes a box to where it goes, zeros where it lies outside.</summary>
    /// <param name="at">The coordinates of its first element.</param>
    /// <param name="to">All memory that threads share.</param>
    /// <param name="place">Where the box begins there, in bytes.</param>
    public void Copy(ReadOnlySpan<long> at, Span<byte> to, long place)
    {
        int size = Map.Source.Element.SizeInBytes();
        int line = Map.Box[0];
        Span<byte> elements = stackalloc byte[line * size];
        for (int number = 0; number < Map.BoxElements / line; number++)
        {
            elements.Clear();
            if (LineAt(at, number) is { } first)
            {
                int skip = (int)Math.Clamp(-at[0], 0, line);
                int count = (int)Math.Clamp(Sizes[0] - at[0], 0, line) - skip;
                if (count > 0)
                {
                    Source.Span.Slice(checked((int)((first + at[0] + skip) * size)), count * size).CopyTo(elements[(skip * size)..]);
                }
            }
            if (Map.RoundsToTensorFloat32)
            {
                Round(elements);
            }
            for (int i = 0; i < elements.Length; i += GpuTensorMap.Granule)
            {
                long address = place + ((long)number * elements.Length) + i;
                elements.Slice(i, GpuTensorMap.Granule).CopyTo(to[(int)(Map.IsSwizzled ? Swizzled(address) : address)..]);
            }
        }
    }

    /// <summary>Where a byte is whose place is swizzled.</summary>
    public static long Swizzled(long address) => address ^ ((address / GpuTensorMap.SwizzledBytes % 8) * GpuTensorMap.Granule);

    // Where the first element of a line of the box lies; null outside of the tensor.
    private long? LineAt(ReadOnlySpan<long> at, int number)
    {
        long place = Offset;
        for (int d = 1; d < Sizes.Length; d++)
        {
            long coordinate = at[d] + (number % Map.Box[d]);
            number /= Map.Box[d];
            if (coordinate < 0 || coordinate >= Sizes[d])
            {
                return null;
            }
            place += coordinate * Strides[d];
        }
        return place;
    }

    private static void Round(Span<byte> elements)
    {
        foreach (ref float value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(elements))
        {
            value = TensorFloat32.Round(value);
        }
    }
}
