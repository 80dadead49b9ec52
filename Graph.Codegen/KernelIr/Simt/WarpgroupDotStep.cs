using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Products that warpgroups compute from shared memory; see <see cref="KWarpgroupDot"/>.</summary>
/// <remarks>
/// Operands are found as the machine finds them, from where they start and two distances, so that a wrong distance
/// gives wrong sums here, too. Products are exact in f32 and added in the order of k.
/// </remarks>
internal sealed class WarpgroupDotStep(
    KWarpgroupShape shape, SimtSlot sum, KSharedMatrix left, int leftMemory, SimtSlot leftIndex, KSharedMatrix right, int rightMemory,
    SimtSlot rightIndex) : SimtStep
{
    private readonly float[] _left = new float[KWarpgroupShape.Rows * shape.Depth];
    private readonly float[] _right = new float[shape.Depth * shape.Columns];
    private readonly float[] _sums = new float[shape.Columns];
    private readonly Piece[] _leftPieces = Pieces(left, shape.Left, KWarpgroupShape.Rows, shape.Depth, shape.Depth, 1);
    private readonly Piece[] _rightPieces = Pieces(right, shape.Right, shape.Columns, shape.Depth, 1, shape.Columns);

    public override void Run(SimtBlock block)
    {
        block.RequireWarpgroups();
        foreach (int group in block.Products.Groups())
        {
            int product = block.Products.Begin(group, sum);
            Gather(block, group, product, leftMemory, leftIndex, _leftPieces, _left);
            Gather(block, group, product, rightMemory, rightIndex, _rightPieces, _right);
            Multiply(block, group);
        }
    }

    private static void Gather(
        SimtBlock block, int group, int product, int number, SimtSlot index, Piece[] pieces, float[] to)
    {
        SimtMemory memory = block.Memory(number);
        DType type = memory.Buffer.Element;
        int size = type.SizeInBytes();
        long start = block.OfGroup(index, group);
        if (start * size % GpuTensorMap.Granule != 0)
        {
            throw block.Bug(
                $"warpgroup {group} multiplies from element {start} of {memory.Buffer} on, "
                + $"which is no multiple of {GpuTensorMap.Granule} bytes");
        }
        long begin = memory.SharedOffset;
        long end = begin + (memory.Length * size);
        foreach (Piece piece in pieces)
        {
            long address = BoundTensorMap.Swizzled(begin + (start * size) + piece.Offset);
            if (address < begin || address + GpuTensorMap.Granule > end)
            {
                throw block.Bug(
                    $"warpgroup {group} multiplies what lies {address - begin} bytes behind the beginning of {memory.Buffer}, "
                        + $"which has {end - begin}");
            }
            Check(block, memory, group, product, address, size);
            ReadOnlySpan<byte> bytes = block.SharedBytes.Slice((int)address, GpuTensorMap.Granule);
            for (int i = 0; i < GpuTensorMap.Granule / size; i++)
            {
                float value = Element(bytes[(i * size)..], type);
                if (type == DType.F32 && !TensorFloat32.Is(value))
                {
                    throw block.Bug($"warpgroup {group} multiplies {value:R}, which was not rounded to TF32");
                }
                to[piece.First + (i * piece.Step)] = value;
            }
        }
    }

    // Of 16 bytes that products read: whether what is there is there for all four warps.
    private static void Check(SimtBlock block, SimtMemory memory, int group, int product, long address, int size)
    {
        long element = (address - memory.SharedOffset) / size;
        int count = GpuTensorMap.Granule / size;
        for (int warp = 0; warp < KWarpgroupShape.Warps; warp++)
        {
            memory.RequireArrived(block, element, count, (group * KWarpgroupShape.Threads) + (warp * KThreads.WarpSize));
        }
        memory.RequireUntouched(block, element, count, $"warpgroup {group} multiplies");
        block.Products.Read(group, product, address);
    }

    // All pieces of 16 bytes of an operand of rows or columns r and terms k; element (r, k) goes to place r * byR + k * byK.
    private static Piece[] Pieces(KSharedMatrix matrix, DType type, int count, int depth, int byR, int byK)
    {
        const int Lines = 8;
        int size = type.SizeInBytes();
        int elements = GpuTensorMap.Granule / size;
        int perLine = KSharedMatrix.LineBytes / size;
        var pieces = new List<Piece>();
        for (int r = 0; r < count; r += matrix.IsAlongDepth ? 1 : elements)
        {
            for (int k = 0; k < depth; k += matrix.IsAlongDepth ? elements : 1)
            {
                long offset = matrix.IsAlongDepth
                    ? (KSharedMatrix.LineBytes * (r % Lines)) + ((long)matrix.StrideBytes * (r / Lines)) + (size * k)
                    : (size * (r % perLine)) + ((long)matrix.LeadingBytes * (r / perLine)) + (KSharedMatrix.LineBytes * (k % Lines))
                        + ((long)matrix.StrideBytes * (k / Lines));
                pieces.Add(new Piece(offset, (r * byR) + (k * byK), matrix.IsAlongDepth ? byK : byR));
            }
        }
        return [.. pieces];
    }

    private static float Element(ReadOnlySpan<byte> at, DType type) => type switch
    {
        DType.F16 => (float)MemoryMarshal.Read<Half>(at),
        DType.BF16 => MemoryMarshal.Read<BFloat16>(at),
        DType.I8 => (sbyte)at[0],
        DType.U8 => at[0],
        _ => MemoryMarshal.Read<float>(at),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(SimtBlock block, int group)
    {
        for (int row = 0; row < KWarpgroupShape.Rows; row++)
        {
            int warp = (group * KWarpgroupShape.Warps) + (row / 16);
            (int g, int half) = (row % 8, row % 16 / 8);
            if (shape.Sum == DType.I32)
            {
                AddIntegers(block, row, warp, g, half);
                continue;
            }
            for (int column = 0; column < shape.Columns; column++)
            {
                _sums[column] = Sum<float>(block, warp, g, half, column);
            }
            for (int k = 0; k < shape.Depth; k++)
            {
                AddProducts(_left[(row * shape.Depth) + k], _right.AsSpan(k * shape.Columns, shape.Columns), _sums);
            }
            for (int column = 0; column < shape.Columns; column++)
            {
                Sum<float>(block, warp, g, half, column) = _sums[column];
            }
        }
    }

    // The sums of a term are less than 2^24, so f32 holds them; the whole is wrapped to 32 bits.
    private void AddIntegers(SimtBlock block, int row, int warp, int g, int half)
    {
        Array.Clear(_sums);
        for (int k = 0; k < shape.Depth; k++)
        {
            AddProducts(_left[(row * shape.Depth) + k], _right.AsSpan(k * shape.Columns, shape.Columns), _sums);
        }
        for (int column = 0; column < shape.Columns; column++)
        {
            ref int at = ref Sum<int>(block, warp, g, half, column);
            at = unchecked(at + (int)_sums[column]);
        }
    }

    private ref T Sum<T>(SimtBlock block, int warp, int g, int half, int column)
        where T : unmanaged
    {
        int lane = (4 * (column / 8)) + (2 * half) + (column % 2);
        int thread = (warp * KThreads.WarpSize) + (4 * g) + (column % 8 / 2);
        return ref block.Lane<T>(sum, lane)[thread];
    }

    private static void AddProducts(float x, ReadOnlySpan<float> y, Span<float> to)
    {
        int n = 0;
        for (; n <= to.Length - Vector<float>.Count; n += Vector<float>.Count)
        {
            (new Vector<float>(to[n..]) + (new Vector<float>(x) * new Vector<float>(y[n..]))).CopyTo(to[n..]);
        }
        for (; n < to.Length; n++)
        {
            to[n] += x * y[n];
        }
    }

    // Where 16 bytes lie before they change places, counted from the operand's start; where their first element goes,
    // and how far apart the others.
    private readonly record struct Piece(long Offset, int First, int Step);
}
