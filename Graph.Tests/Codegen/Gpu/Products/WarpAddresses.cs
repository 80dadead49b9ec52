using Graphene.Codegen;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Where the threads of one warp access shared memory, from the formulas in the kernel: each statement once, loops in their first round,
/// whatever conditions say.
/// </summary>
internal sealed class WarpAddresses
{
    private const int Banks = 32;
    private const int BytesOfBank = 4;

    private readonly Dictionary<KVariable, long>[] _values;
    private readonly List<(string What, int Bytes, long[] Addresses)> _accesses = [];

    private WarpAddresses(Kernel kernel, int warp)
    {
        IEnumerable<int> lanes = Enumerable.Range(0, KThreads.WarpSize);
        _values = [.. lanes.Select(lane => new Dictionary<KVariable, long>(ReferenceEqualityComparer.Instance)
        {
            [kernel.Task] = 0,
            [kernel.Threads!.Thread] = (warp * KThreads.WarpSize) + lane,
        })];
        Visit(kernel.Body);
    }

    /// <summary>The accesses of shared memory by a warp: how many bytes each thread accesses at once, and from which byte on.</summary>
    public static IReadOnlyList<(string What, int Bytes, long[] Addresses)> Of(Kernel kernel, int warp = 0) =>
        new WarpAddresses(kernel, warp)._accesses;

    /// <summary>
    /// How many times longer an access takes than one without bank conflicts. Threads go in groups that access 128 bytes together; a group
    /// takes as many rounds as the bank with the most different words.
    /// </summary>
    public static double Conflicts(int bytes, IReadOnlyList<long> addresses)
    {
        int group = Math.Min(addresses.Count, Banks * BytesOfBank / Math.Max(bytes, BytesOfBank));
        int rounds = 0;
        for (int first = 0; first < addresses.Count; first += group)
        {
            rounds += addresses.Skip(first).Take(group)
                .SelectMany(a => Enumerable.Range(0, Math.Max(1, bytes / BytesOfBank)).Select(i => (a / BytesOfBank) + i))
                .Distinct().GroupBy(word => word % Banks).Max(words => words.Count());
        }
        return (double)rounds / (addresses.Count / group);
    }

    private void Visit(KBlock block)
    {
        foreach (KStmt statement in block.Statements)
        {
            foreach (KExpr operand in KTraversal.Operands(statement))
            {
                VisitLoads(statement, operand);
            }
            switch (statement)
            {
                case KLet { Variable: { Type: { IsScalar: true, Element: DType.I64 or DType.Bool } } variable } let:
                    Each((values, lane) => values[variable] = Evaluate(let.Value, values));
                    break;
                case KFor loop:
                    Each((values, lane) => values[loop.Variable] = Evaluate(loop.Begin, values));
                    break;
                case KStore { Buffer.Space: KBufferSpace.Shared } store:
                    Add(statement, store.Buffer, store.Index, store.Value.Type.Lanes);
                    break;
                case KAsyncCopy copy:
                    Add(statement, copy.To, copy.ToIndex, copy.Lanes);
                    break;
                case KFragmentLoad load:
                    Add(statement, load.Buffer, load.Index, 16 / load.Buffer.Element.SizeInBytes(), 8 * load.Count);
                    break;
            }
            foreach (KBlock inner in KTraversal.Blocks(statement))
            {
                Visit(inner);
            }
        }
    }

    private void VisitLoads(KStmt statement, KExpr e)
    {
        if (e is KLoad { Buffer.Space: KBufferSpace.Shared } load)
        {
            Add(statement, load.Buffer, load.Index, load.Lanes);
        }
        foreach (KExpr part in KTraversal.Operands(e))
        {
            VisitLoads(statement, part);
        }
    }

    private void Add(KStmt statement, KBuffer buffer, KExpr index, int lanes, int threads = KThreads.WarpSize)
    {
        int size = buffer.Element.SizeInBytes();
        _accesses.Add((
            $"{statement.GetType().Name} of {lanes * size} bytes of {buffer}", lanes * size,
            [.. _values.Take(threads).Select(values => Evaluate(index, values) * size)]));
    }

    private void Each(Action<Dictionary<KVariable, long>, int> action)
    {
        for (int lane = 0; lane < _values.Length; lane++)
        {
            action(_values[lane], lane);
        }
    }

    private static long Evaluate(KExpr e, Dictionary<KVariable, long> values) => e switch
    {
        KConstant { Value: { DType: DType.Bool } value } => value.AsBool ? 1 : 0,
        KConstant constant => (long)constant.Value.AsInteger,
        KVariable variable => values.GetValueOrDefault(variable),
        KSelect select => Evaluate(select.Condition, values) != 0 ? Evaluate(select.WhenTrue, values) : Evaluate(select.WhenFalse, values),
        KCall { Arguments: [var a, var b] } call => Apply(call.Op, Evaluate(a, values), Evaluate(b, values)),
        _ => 0,
    };

    private static long Apply(ScalarOp op, long a, long b) => op switch
    {
        ScalarOp.Add => a + b,
        ScalarOp.Subtract => a - b,
        ScalarOp.Multiply => a * b,
        ScalarOp.Divide => b == 0 ? 0 : a / b,
        ScalarOp.Remainder => b == 0 ? 0 : a % b,
        ScalarOp.Minimum => Math.Min(a, b),
        ScalarOp.Maximum => Math.Max(a, b),
        ScalarOp.And => a & b,
        ScalarOp.Or => a | b,
        ScalarOp.Xor => a ^ b,
        ScalarOp.Less => a < b ? 1 : 0,
        ScalarOp.LessOrEqual => a <= b ? 1 : 0,
        ScalarOp.Equal => a == b ? 1 : 0,
        _ => throw new NotSupportedException(op.ToString()),
    };
}
