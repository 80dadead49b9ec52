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
            case 1: new PanelWriter<byte>(this).Write(target); break;
            case 2: new PanelWriter<ushort>(this).Write(MemoryMarshal.Cast<byte, ushort>(target)); break;
            case 4: new PanelWriter<uint>(this).Write(MemoryMarshal.Cast<byte, uint>(target)); break;
            default: new PanelWriter<ulong>(this).Write(MemoryMarshal.Cast<byte, ulong>(target)); break;
        }
    }

    /// <inheritdoc/>
    public override KernelConstant With(Func<Literal, Literal> counterpart) => this with { Matrix = counterpart(Matrix) };
}
