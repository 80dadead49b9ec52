using Graphene.Codegen;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// What a thread of a kernel reads and writes, counted in its text: a schedule that is slow without
/// being wrong shows here.
/// </summary>
/// <remarks>
/// A loop counts as often as it goes round where that is known, once otherwise; of two branches the one
/// with more counts.
/// </remarks>
internal sealed class AccessCount
{
    private readonly Dictionary<KBuffer, long> _reads = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KBuffer, long> _writes = new(ReferenceEqualityComparer.Instance);

    private AccessCount()
    {
    }

    /// <summary>The instructions that read an argument.</summary>
    public List<KExpr> Loads { get; } = [];

    /// <summary>The instructions that write an argument.</summary>
    public List<KStore> Stores { get; } = [];

    /// <summary>Counts what is in a kernel.</summary>
    public static AccessCount Of(Kernel kernel)
    {
        var count = new AccessCount();
        count.Add(kernel.Body, 1, new HashSet<KExpr>(ReferenceEqualityComparer.Instance));
        return count;
    }

    /// <summary>The elements of an argument that a thread reads.</summary>
    public long Reads(KBuffer buffer) => _reads.GetValueOrDefault(buffer);

    /// <summary>The elements of an argument that a thread writes.</summary>
    public long Writes(KBuffer buffer) => _writes.GetValueOrDefault(buffer);

    private void Add(KBlock block, long rounds, HashSet<KExpr> seen)
    {
        foreach (KStmt statement in block.Statements)
        {
            foreach (KExpr operand in KTraversal.Operands(statement))
            {
                Add(operand, rounds, seen);
            }
            switch (statement)
            {
                case KStore { Buffer.IsScratch: false } store:
                    Stores.Add(store);
                    Count(_writes, store.Buffer, rounds * store.Value.Type.Lanes);
                    break;
                case KScatter { Buffer.IsScratch: false } scatter:
                    Count(_writes, scatter.Buffer, rounds * scatter.Value.Type.Lanes);
                    break;
                case KFor loop:
                    Add(loop.Body, rounds * Trips(loop), seen);
                    break;
                case KIf choice:
                    AddLarger(choice, rounds, seen);
                    break;
                default:
                    foreach (KBlock inner in KTraversal.Blocks(statement))
                    {
                        Add(inner, rounds, seen);
                    }
                    break;
            }
        }
    }

    private void AddLarger(KIf choice, long rounds, HashSet<KExpr> seen)
    {
        var then = new AccessCount();
        then.Add(choice.Then, rounds, [.. seen]);
        var otherwise = new AccessCount();
        if (choice.Else is { } block)
        {
            otherwise.Add(block, rounds, [.. seen]);
        }
        AccessCount larger = then.Total >= otherwise.Total ? then : otherwise;
        foreach ((KBuffer buffer, long count) in larger._reads)
        {
            Count(_reads, buffer, count);
        }
        foreach ((KBuffer buffer, long count) in larger._writes)
        {
            Count(_writes, buffer, count);
        }
        Loads.AddRange(larger.Loads);
        Stores.AddRange(larger.Stores);
    }

    private long Total => _reads.Values.Sum() + _writes.Values.Sum();

    private void Add(KExpr root, long rounds, HashSet<KExpr> seen) => KTraversal.PostOrder(root, seen.Contains, KTraversal.Operands, e =>
    {
        seen.Add(e);
        if (e is KLoad { Buffer: { IsScratch: false } read })
        {
            Loads.Add(e);
            Count(_reads, read, rounds * e.Type.Lanes);
        }
        else if (e is KGather { Buffer: { IsScratch: false } gathered })
        {
            Loads.Add(e);
            Count(_reads, gathered, rounds * e.Type.Lanes);
        }
    });

    private static void Count(Dictionary<KBuffer, long> counts, KBuffer buffer, long elements) =>
        counts[buffer] = counts.GetValueOrDefault(buffer) + elements;

    private static long Trips(KFor loop) => loop is { Begin: KConstant begin, End: KConstant end }
        ? Math.Max(0, ((long)(end.Value.AsInteger - begin.Value.AsInteger) + loop.Step - 1) / loop.Step)
        : 1;
}
