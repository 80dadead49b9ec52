namespace Graphene.Codegen;

/// <summary>A product of small matrices that the threads of a warp compute together.</summary>
/// <param name="Rows">M, rows of the left operand and of the sum.</param>
/// <param name="Columns">N, columns of the right operand and of the sum.</param>
/// <param name="Depth">K.</param>
/// <param name="Left">The element type of the left operand.</param>
/// <param name="Right">The element type of the right operand.</param>
/// <param name="Sum">The element type of the sum.</param>
/// <remarks>
/// Which thread holds which element is fixed. With g = lane / 4 and t = lane % 4, where 32 bits hold p consecutive elements of k (p = 2
/// for 16-bit types, 4 for 8-bit types, 1 for f32):
/// <code>
/// sum,   m16n8:  lanes 0..1 of the value are (g, 2t), (g, 2t + 1); lanes 2..3 are (g + 8, 2t), (g + 8, 2t + 1)
/// left,  m16k2h: p lanes each of (g, p t), (g + 8, p t), (g, p t + h), (g + 8, p t + h), with h = Depth / 2
/// right, k2hn8:  p lanes each of (p t, g), (p t + h, g)
/// f64 m8n8k4:    sum (g, 2t), (g, 2t + 1); left (g, t); right (t, g)
/// </code>
/// That is the layout of <c>mma.sync</c> in PTX. f32 operands are rounded to TF32 (10 bits of fraction) by whoever makes them.
/// Products are exact; the order in which they are added, and the rounding of the sums of f32, are the machine's.
/// </remarks>
public sealed record KFragmentShape(int Rows, int Columns, int Depth, DType Left, DType Right, DType Sum)
{
    /// <summary>Two f16 or bf16 operands, sums in f32.</summary>
    public static KFragmentShape Half(DType element) => new(16, 8, 16, element, element, DType.F32);

    /// <summary>f32 operands that were rounded to TF32.</summary>
    public static KFragmentShape TensorFloat32 { get; } = new(16, 8, 8, DType.F32, DType.F32, DType.F32);

    /// <summary>i8 or u8 operands, exact sums in i32.</summary>
    public static KFragmentShape Bytes(DType left, DType right) => new(16, 8, 32, left, right, DType.I32);

    /// <summary>f64 operands and sums, with one rounding for each product that is added.</summary>
    public static KFragmentShape Double { get; } = new(8, 8, 4, DType.F64, DType.F64, DType.F64);

    /// <summary>How many elements of the left operand a thread holds.</summary>
    public int LeftLanes => Rows * Depth / KThreads.WarpSize;

    /// <summary>How many elements of the right operand a thread holds.</summary>
    public int RightLanes => Depth * Columns / KThreads.WarpSize;

    /// <summary>How many elements of the sum a thread holds.</summary>
    public int SumLanes => Rows * Columns / KThreads.WarpSize;
}

/// <summary>Adds a product of two matrices to a third, held in pieces by the threads of a warp, all of which must come.</summary>
/// <param name="Shape">The sizes, types and places.</param>
/// <param name="Sum">The thread's piece of the sum, <see cref="KFragmentShape.SumLanes"/> lanes.</param>
/// <param name="Left">The thread's piece of the left operand.</param>
/// <param name="Right">The thread's piece of the right operand.</param>
public sealed record KFragmentDot(KFragmentShape Shape, KRegister Sum, KExpr Left, KExpr Right) : KStmt;

/// <summary>
/// Reads 1, 2 or 4 matrices of 8 rows of 16 bytes from shared memory into the pieces that <see cref="KFragmentDot"/>
/// takes: <c>ldmatrix</c>. All threads of the warp must come. Thread 8 i + r says where row r of matrix i lies; a
/// thread g * 4 + t gets from each matrix the 4 bytes at byte 4 t of row g, or, transposed (2-byte elements only), the
/// elements (2 t, g) and (2 t + 1, g).
/// </summary>
/// <param name="Variable">The name of what is read: 4 bytes of lanes per matrix, of the buffer's element type.</param>
/// <param name="Buffer">Shared memory.</param>
/// <param name="Index">Where the thread's row begins, i64, in elements; a multiple of 16 bytes.</param>
/// <param name="Count">How many matrices.</param>
/// <param name="IsTransposed">Whether rows become columns.</param>
public sealed record KFragmentLoad(KVariable Variable, KBuffer Buffer, KExpr Index, int Count, bool IsTransposed = false) : KStmt;
