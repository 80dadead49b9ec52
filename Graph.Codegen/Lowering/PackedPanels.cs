using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>
/// A constant matrix in the order in which a register tile walks it: panels of a fixed width, within a panel one row of k after
/// another. The last panel is filled up with zeros.
/// </summary>
/// <remarks><c>packed[batch][panel][k][lane] = matrix[batch][k][panel * width + lane]</c></remarks>
internal static class PackedPanels
{
    /// <summary>Rearranges a constant; done once, when compiling.</summary>
    /// <param name="matrix">The constant.</param>
    /// <param name="offsets">Element offsets into it of each batch.</param>
    /// <param name="depth">Element offsets, relative to a batch, of each k.</param>
    /// <param name="columns">Element offsets, relative to a batch and k, of each column.</param>
    /// <param name="width">Columns per panel.</param>
    public static Literal Pack(Literal matrix, long[] offsets, long[] depth, long[] columns, int width)
    {
        int panels = (columns.Length + width - 1) / width;
        int size = matrix.DType.SizeInBytes();
        var packed = new byte[checked((long)offsets.Length * panels * depth.Length * width * size)];
        int panelBytes = depth.Length * width * size;
        Parallel.For(0, offsets.Length * panels, i =>
        {
            Span<byte> target = packed.AsSpan(checked((int)((long)i * panelBytes)), panelBytes);
            ReadOnlySpan<long> own = columns.AsSpan(i % panels * width, Math.Min(width, columns.Length - (i % panels * width)));
            PackPanel(matrix.Bytes.Span, target, offsets[i / panels], depth, own, width, size);
        });
        var shape = Shape.Of(offsets.Length, panels, depth.Length, width);
        return new Literal(new TensorType(matrix.DType, shape), packed);
    }

    private static void PackPanel(
        ReadOnlySpan<byte> source, Span<byte> target, long offset, long[] depth, ReadOnlySpan<long> columns, int width, int size)
    {
        switch (size)
        {
            case 1: Copy(source, target, offset, depth, columns, width); break;
            case 2: Copy(Cast<ushort>(source), Cast<ushort>(target), offset, depth, columns, width); break;
            case 4: Copy(Cast<uint>(source), Cast<uint>(target), offset, depth, columns, width); break;
            default: Copy(Cast<ulong>(source), Cast<ulong>(target), offset, depth, columns, width); break;
        }
    }

    private static void Copy<T>(
        ReadOnlySpan<T> source, Span<T> target, long offset, long[] depth, ReadOnlySpan<long> columns, int width)
    {
        bool consecutive = columns.Length > 0 && columns[^1] - columns[0] == columns.Length - 1;
        for (int k = 0; k < depth.Length; k++)
        {
            Span<T> row = target.Slice(k * width, width);
            long from = offset + depth[k];
            if (consecutive)
            {
                source.Slice((int)(from + columns[0]), columns.Length).CopyTo(row);
                continue;
            }
            for (int lane = 0; lane < columns.Length; lane++)
            {
                row[lane] = source[(int)(from + columns[lane])];
            }
        }
    }

    private static ReadOnlySpan<T> Cast<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);

    private static Span<T> Cast<T>(Span<byte> bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);
}
