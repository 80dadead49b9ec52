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

    /// <summary>
    /// The dimension that columns run along, when the matrix has two of them, k runs along the other, and all elements are there; null
    /// otherwise.
    /// </summary>
    public int? ColumnAxis
    {
        get
        {
            if (Matrix.Shape.Rank != 2 || Batches is not [0])
            {
                return null;
            }
            long rows = Matrix.Shape[0].Value;
            long rowLength = Matrix.Shape[1].Value;
            return AreSteps(Columns, rows, rowLength) && AreSteps(Depth, rowLength, 1) ? 0
                : AreSteps(Columns, rowLength, 1) && AreSteps(Depth, rows, rowLength) ? 1
                : null;
        }
    }

    /// <summary>The panels as a tensor.</summary>
    public TensorType PackedType => new(DType, Shape.Of(checked((long)Batches.Count * Panels), Depth.Count, Width));

    /// <summary>Where an element of the matrix is in <see cref="PackedType"/>; there must be a <see cref="ColumnAxis"/>.</summary>
    /// <param name="f">Makes the expressions.</param>
    /// <param name="at">The element's index in the matrix, inside of it.</param>
    public IndexVector Place(ExprFactory f, IndexVector at)
    {
        int axis = ColumnAxis ?? throw new CompilerBugException("lowering", $"panels of {Matrix.Type} are no other order of its elements");
        ScalarExpr width = f.Index(Width);
        return IndexVector.From([f.Divide(at[axis], width), at[1 - axis], f.Remainder(at[axis], width)]);
    }

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

    private static bool AreSteps(ValueList<long> offsets, long count, long step)
    {
        if (offsets.Count != count)
        {
            return false;
        }
        for (int i = 0; i < offsets.Count; i++)
        {
            if (offsets[i] != i * step)
            {
                return false;
            }
        }
        return true;
    }
}
