namespace Graphene.Codegen;

/// <summary>A product of matrices that four warps compute together from shared memory: <c>wgmma.mma_async</c> of sm_90a.</summary>
/// <param name="Columns">
/// N, columns of the right operand and of the sum: a multiple of 8, at most 256; for bytes one of 16 from 32 on.
/// </param>
/// <param name="Depth">K: 32 bytes of operands.</param>
/// <param name="Left">The element type of the left operand.</param>
/// <param name="Right">The element type of the right operand.</param>
/// <param name="Sum">The element type of the sum.</param>
/// <remarks>
/// The sum has 64 rows. Warp w of the four has rows 16 w to 16 w + 15 of it, in the places of
/// <see cref="KFragmentShape"/>: with g = lane / 4 and t = lane % 4, lanes 4 j to 4 j + 3 of the value are
/// (g, 8 j + 2 t), (g, 8 j + 2 t + 1), (g + 8, 8 j + 2 t), (g + 8, 8 j + 2 t + 1). Source: PTX ISA, register
/// fragments of wgmma.mma_async, matrix D. f32 operands must be rounded to TF32.
/// </remarks>
public sealed record KWarpgroupShape(int Columns, int Depth, DType Left, DType Right, DType Sum)
{
    /// <summary>Rows of the sum.</summary>
    public const int Rows = 64;

    /// <summary>The warps that work together.</summary>
    public const int Warps = 4;

    /// <summary>The threads that work together; the first one's number is a multiple of this.</summary>
    public const int Threads = Warps * KThreads.WarpSize;

    /// <summary>The bytes that the operands have in k.</summary>
    public const int DepthBytes = 32;

    /// <summary>How many elements of the sum a thread holds.</summary>
    public int SumLanes => Columns / 2;

    /// <summary>The shape for operands of some types; null when there is none.</summary>
    public static KWarpgroupShape? Of(int columns, DType left, DType right, DType sum)
    {
        var shape = new KWarpgroupShape(columns, DepthBytes / left.SizeInBytes(), left, right, sum);
        return shape.Problem is null ? shape : null;
    }

    /// <summary>What is wrong with it; null for nothing.</summary>
    internal string? Problem
    {
        get
        {
            bool isBytes = Left is DType.I8 or DType.U8 && Right is DType.I8 or DType.U8 && Sum == DType.I32;
            bool isFloating = Left is DType.F16 or DType.BF16 or DType.F32 && Left == Right && Sum == DType.F32;
            bool hasColumns = Columns is > 0 and <= 256 && Columns % (isBytes && Columns > 32 ? 16 : 8) == 0;
            return (isBytes || isFloating) && hasColumns && Depth == DepthBytes / Left.SizeInBytes()
                ? null
                : $"warpgroups compute no products of {Rows}x{Depth} {Left.Name()} and {Depth}x{Columns} {Right.Name()} in {Sum.Name()}";
        }
    }
}

/// <summary>An operand of <see cref="KWarpgroupDot"/> in swizzled shared memory.</summary>
/// <remarks>
/// Lines have 128 bytes, in which pieces of 16 bytes have changed places as <see cref="KBulkCopy"/> says. Eight lines
/// follow each other; where the next ones are is stated. With b bytes of an element, element (r, k) (row or column r,
/// term k) is, before pieces change places, at
/// <code>
/// along k:   start + 128 (r mod 8) + stride (r / 8) + b k
/// across k:  start + b (r mod 128 / b) + leading (r / (128 / b)) + 128 (k mod 8) + stride (k / 8)        16-bit types only
/// </code>
/// Source: PTX ISA, shared memory matrix layout of wgmma.mma_async, canonical layouts with 128-byte swizzling.
/// </remarks>
/// <param name="Buffer">Shared memory whose place is a multiple of 1024 bytes.</param>
/// <param name="Index">Where the operand starts, i64, in elements: a multiple of 16 bytes, the same for all threads.</param>
/// <param name="IsAlongDepth">Whether lines are in order of k; else each is one k.</param>
/// <param name="LeadingBytes">See above; not used along k.</param>
/// <param name="StrideBytes">See above.</param>
public sealed record KSharedMatrix(KBuffer Buffer, KExpr Index, bool IsAlongDepth, int LeadingBytes, int StrideBytes)
{
    /// <summary>What the buffer's place must be a multiple of, in bytes: the swizzled pattern begins anew.</summary>
    public const int Alignment = 1024;

    /// <summary>The bytes of a line.</summary>
    public const int LineBytes = 128;
}

/// <summary>
/// Begins to add a product of two matrices in shared memory to sums in registers. All threads of the four warps must come. Until a
/// <see cref="KWarpgroupWait"/> hands the sums back, nobody may touch them but further products, nor write what is multiplied.
/// </summary>
/// <param name="Shape">The sizes, types and places.</param>
/// <param name="Sum">The thread's piece of the sum.</param>
/// <param name="Left">64 rows by k.</param>
/// <param name="Right">k by columns.</param>
public sealed record KWarpgroupDot(KWarpgroupShape Shape, KRegister Sum, KSharedMatrix Left, KSharedMatrix Right) : KStmt;

/// <summary>
/// Lets products see what was done to registers before. Needed before the first product, and between a thread's access to sums and the next
/// product that adds to them. All threads of the four warps must come.
/// </summary>
public sealed record KWarpgroupFence : KStmt;

/// <summary>Makes one group of the products that the warps began since the last one.</summary>
public sealed record KWarpgroupCommit : KStmt;

/// <summary>Waits until all groups of products but the last few are done. All threads of the four warps must come.</summary>
/// <param name="Pending">How many of the last groups may go on.</param>
/// <param name="Sums">Registers that are handed back; no group that goes on may add to them.</param>
public sealed record KWarpgroupWait(int Pending, IReadOnlyList<KRegister> Sums) : KStmt;
