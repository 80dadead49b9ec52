using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>
/// A constant matrix in the order in which a register tile walks it: panels of a fixed width, within a panel one row of k after
/// another. The last panel is filled up with zeros.
/// </summary>
/// <remarks><c>packed[batch][panel][k][lane] = matrix[batch][k][panel * width + lane]</c></remarks>
/// <param name="Matrix">The constant.</param>
/// <param name="Batches">Element offsets into it of each batch.</param>
/// <param name="Depth">Element offsets, relative to a batch, of each k.</param>
/// <param name="Columns">Element offsets, relative to a batch and k, of each column.</param>
/// <param name="Width">Columns per panel.</param>
internal sealed record PackedPanels(
    Literal Matrix, ValueList<long> Batches, ValueList<long> Depth, ValueList<long> Columns, int Width) : KernelConstant
{
    /// <inheritdoc/>
    public override DType DType => Matrix.DType;

    /// <inheritdoc/>
    public override long SizeInBytes => checked((long)Batches.Count * Panels * PanelBytes);

    private int Panels => (Columns.Count + Width - 1) / Width;

    private int PanelBytes => checked(Depth.Count * Width * DType.SizeInBytes());

    /// <inheritdoc/>
    public override void WriteTo(Span<byte> target)
    {
        switch (DType.SizeInBytes())
        {
            case 1: Write(target); break;
            case 2: Write(MemoryMarshal.Cast<byte, ushort>(target)); break;
            case 4: Write(MemoryMarshal.Cast<byte, uint>(target)); break;
            default: Write(MemoryMarshal.Cast<byte, ulong>(target)); break;
        }
    }

    private void Write<T>(Span<T> target)
        where T : unmanaged
    {
        ReadOnlySpan<T> source = MemoryMarshal.Cast<byte, T>(Matrix.Bytes.Span);
        long[] depth = [.. Depth];
        long[] columns = [.. Columns];
        foreach (long batch in Batches)
        {
            for (int first = 0; first < columns.Length; first += Width)
            {
                Span<T> panel = target[..(depth.Length * Width)];
                target = target[panel.Length..];
                int present = Math.Min(Width, columns.Length - first);
                if (present < Width)
                {
                    panel.Clear();
                }
                WritePanel(source, panel, batch, depth, columns.AsSpan(first, present));
            }
        }
    }

    private void WritePanel<T>(ReadOnlySpan<T> source, Span<T> panel, long batch, long[] depth, ReadOnlySpan<long> columns)
    {
        if (columns[^1] - columns[0] == columns.Length - 1)
        {
            for (int k = 0; k < depth.Length; k++)
            {
                source.Slice((int)(batch + depth[k] + columns[0]), columns.Length).CopyTo(panel[(k * Width)..]);
            }
            return;
        }
        // Along k the constant is more likely to be consecutive, so each column is read in one go.
        for (int lane = 0; lane < columns.Length; lane++)
        {
            ReadOnlySpan<T> column = source[(int)(batch + columns[lane])..];
            for (int k = 0, at = lane; k < depth.Length; k++, at += Width)
            {
                panel[at] = column[(int)depth[k]];
            }
        }
    }
}
