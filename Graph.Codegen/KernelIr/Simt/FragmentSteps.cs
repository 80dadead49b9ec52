using System.Numerics;
using System.Runtime.CompilerServices;

namespace Graphene.Codegen;

/// <summary>Reads matrices from shared memory into the pieces of the threads of each warp; see <see cref="KFragmentLoad"/>.</summary>
/// <typeparam name="T">Bits as wide as an element.</typeparam>
internal sealed class FragmentLoadStep<T>(SimtSlot result, int buffer, SimtSlot index, int count, bool isTransposed) : SimtStep
    where T : unmanaged
{
    private const int RowBytes = 16;

    public override void Run(SimtBlock block)
    {
        block.RequireWarps();
        for (int warp = block.Active.Low; warp < block.Active.High; warp += KThreads.WarpSize)
        {
            if (block.Active[warp])
            {
                Load(block, warp);
            }
        }
    }

    private void Load(SimtBlock block, int warp)
    {
        SimtMemory memory = block.Memory(buffer);
        ReadOnlySpan<T> contents = memory.Contents<T>();
        ReadOnlySpan<long> indices = block.Values<long>(index);
        int elementBytes = memory.Buffer.Element.SizeInBytes();
        int row = RowBytes / elementBytes;
        int piece = 4 / elementBytes;
        for (int matrix = 0; matrix < count; matrix++)
        {
            ReadOnlySpan<long> rows = indices.Slice(warp + (8 * matrix), 8);
            for (int r = 0; r < 8; r++)
            {
                Check(block, memory, rows[r], row, warp, warp + (8 * matrix) + r);
            }
            for (int lane = 0; lane < KThreads.WarpSize; lane++)
            {
                (int g, int t) = (lane / 4, lane % 4);
                for (int i = 0; i < piece; i++)
                {
                    long at = isTransposed ? rows[(2 * t) + i] + g : rows[g] + (piece * t) + i;
                    block.Lane<T>(result, (piece * matrix) + i)[warp + lane] = contents[(int)at];
                }
            }
        }
    }

    private static void Check(SimtBlock block, SimtMemory memory, long index, int row, int warp, int thread)
    {
        if (index % row != 0)
        {
            throw block.Bug(
                $"thread {thread} names a row at element {index} of {memory.Buffer}; "
                    + $"it must be a multiple of {row}, that is of {RowBytes} bytes");
        }
        // The row goes to threads that differ from matrix to matrix; any of them stands for the warp.
        memory.Read(block, index, row, thread);
        memory.Read(block, index, row, warp + ((thread + 1) % KThreads.WarpSize));
    }
}

/// <summary>Products of the matrices that the threads of each warp hold; see <see cref="KFragmentDot"/>.</summary>
internal sealed class FragmentDotStep(KFragmentShape shape, SimtSlot sum, SimtSlot left, SimtSlot right) : SimtStep
{
    private readonly int[] _left = Table(shape.LeftLanes, new FragmentPlaces(shape).Left);
    private readonly int[] _right = Table(shape.RightLanes, new FragmentPlaces(shape).Right);

    public override void Run(SimtBlock block)
    {
        block.RequireWarps();
        var places = new FragmentPlaces(shape);
        for (int warp = block.Active.Low; warp < block.Active.High; warp += KThreads.WarpSize)
        {
            if (!block.Active[warp])
            {
                continue;
            }
            if (shape.Sum == DType.F32)
            {
                Singles(block, warp, places);
            }
            else if (shape.Sum == DType.F64)
            {
                Doubles(block, warp, places);
            }
            else
            {
                Integers(block, warp, places);
            }
        }
    }

    // Products are exact in f32, and added in the order of k.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Singles(SimtBlock block, int warp, FragmentPlaces places)
    {
        Span<float> a = stackalloc float[shape.Rows * shape.Depth];
        Span<float> b = stackalloc float[shape.Depth * shape.Columns];
        Span<float> c = stackalloc float[shape.Rows * shape.Columns];
        for (int i = 0; i < shape.LeftLanes; i++)
        {
            Gather(block, left, i, warp, a, _left);
        }
        for (int i = 0; i < shape.RightLanes; i++)
        {
            Gather(block, right, i, warp, b, _right);
        }
        for (int i = 0; i < shape.SumLanes; i++)
        {
            ReadOnlySpan<float> before = block.Lane<float>(sum, i).Slice(warp, KThreads.WarpSize);
            for (int lane = 0; lane < before.Length; lane++)
            {
                c[places.Sum(lane, i)] = before[lane];
            }
        }
        Multiply(a, b, c);
        for (int lane = 0; lane < KThreads.WarpSize; lane++)
        {
            for (int i = 0; i < shape.SumLanes; i++)
            {
                block.Lane<float>(sum, i)[warp + lane] = c[places.Sum(lane, i)];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> c)
    {
        int columns = shape.Columns;
        for (int m = 0; m < shape.Rows; m++)
        {
            Span<float> row = c.Slice(m * columns, columns);
            for (int k = 0; k < shape.Depth; k++)
            {
                float x = a[(m * shape.Depth) + k];
                ReadOnlySpan<float> y = b.Slice(k * columns, columns);
                int n = 0;
                for (; n <= columns - Vector<float>.Count; n += Vector<float>.Count)
                {
                    (new Vector<float>(row[n..]) + (new Vector<float>(x) * new Vector<float>(y[n..]))).CopyTo(row[n..]);
                }
                for (; n < columns; n++)
                {
                    row[n] += x * y[n];
                }
            }
        }
    }

    private void Doubles(SimtBlock block, int warp, FragmentPlaces places)
    {
        Span<double> a = stackalloc double[shape.Rows * shape.Depth];
        Span<double> b = stackalloc double[shape.Depth * shape.Columns];
        for (int lane = 0; lane < KThreads.WarpSize; lane++)
        {
            a[places.Left(lane, 0)] = block.Values<double>(left)[warp + lane];
            b[places.Right(lane, 0)] = block.Values<double>(right)[warp + lane];
        }
        for (int lane = 0; lane < KThreads.WarpSize; lane++)
        {
            for (int i = 0; i < shape.SumLanes; i++)
            {
                ref double c = ref block.Lane<double>(sum, i)[warp + lane];
                (int m, int n) = Math.DivRem(places.Sum(lane, i), shape.Columns);
                for (int k = 0; k < shape.Depth; k++)
                {
                    c = Math.FusedMultiplyAdd(a[(m * shape.Depth) + k], b[(k * shape.Columns) + n], c);
                }
            }
        }
    }

    private void Integers(SimtBlock block, int warp, FragmentPlaces places)
    {
        Span<int> a = stackalloc int[shape.Rows * shape.Depth];
        Span<int> b = stackalloc int[shape.Depth * shape.Columns];
        for (int lane = 0; lane < KThreads.WarpSize; lane++)
        {
            for (int i = 0; i < shape.LeftLanes; i++)
            {
                a[places.Left(lane, i)] = Byte(block, left, i, warp + lane);
            }
            for (int i = 0; i < shape.RightLanes; i++)
            {
                b[places.Right(lane, i)] = Byte(block, right, i, warp + lane);
            }
        }
        for (int lane = 0; lane < KThreads.WarpSize; lane++)
        {
            for (int i = 0; i < shape.SumLanes; i++)
            {
                ref int c = ref block.Lane<int>(sum, i)[warp + lane];
                (int m, int n) = Math.DivRem(places.Sum(lane, i), shape.Columns);
                for (int k = 0; k < shape.Depth; k++)
                {
                    c = unchecked(c + (a[(m * shape.Depth) + k] * b[(k * shape.Columns) + n]));
                }
            }
        }
    }

    private static int Byte(SimtBlock block, SimtSlot slot, int lane, int thread) => slot.Type.Element == DType.I8
        ? block.Lane<sbyte>(slot, lane)[thread]
        : block.Lane<byte>(slot, lane)[thread];

    // Puts lane i of the pieces of a warp where the threads have them from.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(SimtBlock block, SimtSlot slot, int i, int warp, Span<float> matrix, int[] places)
    {
        ReadOnlySpan<int> place = places.AsSpan(i * KThreads.WarpSize, KThreads.WarpSize);
        switch (slot.Type.Element)
        {
            case DType.F16:
                ReadOnlySpan<Half> halves = block.Lane<Half>(slot, i).Slice(warp, KThreads.WarpSize);
                for (int lane = 0; lane < place.Length; lane++)
                {
                    matrix[place[lane]] = (float)halves[lane];
                }
                break;
            case DType.BF16:
                ReadOnlySpan<BFloat16> brains = block.Lane<BFloat16>(slot, i).Slice(warp, KThreads.WarpSize);
                for (int lane = 0; lane < place.Length; lane++)
                {
                    matrix[place[lane]] = brains[lane];
                }
                break;
            default:
                ReadOnlySpan<float> singles = block.Lane<float>(slot, i).Slice(warp, KThreads.WarpSize);
                for (int lane = 0; lane < place.Length; lane++)
                {
                    float value = singles[lane];
                    matrix[place[lane]] = (BitConverter.SingleToUInt32Bits(value) & 0x1FFF) == 0 || float.IsNaN(value)
                        ? value
                        : throw block.Bug($"thread {warp + lane} multiplies {value:R}, which was not rounded to TF32");
                }
                break;
        }
    }

    // For each lane of the pieces, the places of all threads.
    private static int[] Table(int lanes, Func<int, int, int> place) =>
        [.. Enumerable.Range(0, lanes).SelectMany(i => Enumerable.Range(0, KThreads.WarpSize).Select(thread => place(thread, i)))];
}
