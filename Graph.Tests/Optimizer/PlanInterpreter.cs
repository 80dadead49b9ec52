using Graphene.Optimizer;

namespace Graphene.Tests.Optimizer;

/// <summary>Executes a memory plan on real memory. Fresh memory is filled with garbage.</summary>
internal sealed class PlanInterpreter
{
    private readonly MemoryPlan _plan;
    private readonly byte[] _arena;
    private readonly ArenaLayout _layout;
    private readonly byte[]?[] _owned;
    private readonly Action<RunStep, Func<int, Memory<byte>>> _run;

    private readonly Func<DimSymbol, long> _symbols;

    private PlanInterpreter(
        MemoryPlan plan, IReadOnlyList<Literal> arguments, Action<RunStep, Func<int, Memory<byte>>>? run,
        Func<DimSymbol, long>? symbols)
    {
        _plan = plan;
        _symbols = symbols ?? (_ => throw new InvalidOperationException("symbolic size"));
        _run = run ?? ((step, _) => Evaluate(step));
        _layout = plan.Pack(_symbols);
        _arena = Garbage(_layout.SizeInBytes);
        _owned = [.. plan.Buffers.Select(b => b.Kind switch
        {
            BufferKind.Parameter => arguments[b.Number].Bytes.ToArray(),
            BufferKind.Result => Garbage(b.SizeInBytes.Evaluate(_symbols)),
            BufferKind.Constant => b.Constant!.Bytes.ToArray(),
            _ => null,
        })];
    }

    /// <summary>The number of copies that were made.</summary>
    public static int Copies { get; private set; }

    /// <summary>Runs a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="arguments">One value per parameter.</param>
    /// <param name="run">Runs the kernel of a step on the contents of buffers; null for each op's reference evaluation.</param>
    /// <param name="symbols">The values of symbols; null where all sizes are static.</param>
    public static Literal[] Run(
        MemoryPlan plan, IReadOnlyList<Literal> arguments, Action<RunStep, Func<int, Memory<byte>>>? run = null,
        Func<DimSymbol, long>? symbols = null)
    {
        Copies = 0;
        var interpreter = new PlanInterpreter(plan, arguments, run, symbols);
        interpreter.Run(plan.Entry);
        return [.. plan.Entry.Results.Select((buffer, i) => interpreter.Read(buffer, plan.Entry.Computation.Results[i].Type))];
    }

    private static byte[] Garbage(long size)
    {
        var bytes = new byte[size];
        Array.Fill(bytes, (byte)0xCD);
        return bytes;
    }

    private Memory<byte> Memory(int buffer)
    {
        PlannedBuffer planned = _plan.Buffers[buffer];
        int size = (int)planned.SizeInBytes.Evaluate(_symbols);
        return planned.Kind == BufferKind.Part
            ? Memory(planned.Number).Slice((int)planned.OffsetInBytes.Evaluate(_symbols), size)
            : _owned[buffer] ?? _arena.AsMemory((int)_layout.Offsets[buffer], size);
    }

    private Literal Read(int buffer, TensorType type)
    {
        TensorType known = Known(type);
        if (_plan.Buffers[buffer].Box is not { } box)
        {
            return new(known, Memory(buffer)[..(int)known.SizeInBytes.Value].ToArray());
        }
        var whole = new Literal(Known(box.Whole), Memory(buffer).ToArray());
        return Literal.Generate(known, at => whole[Inside(box, at)]);
    }

    private TensorType Known(TensorType type) => type.Shape.IsStatic ? type : type with
    {
        Shape = Shape.From(Enumerable.Range(0, type.Rank).Select(i => (Dim)type.Shape[i].Evaluate(_symbols))),
    };

    private static long[] Inside(PartBox box, ReadOnlySpan<long> at)
    {
        var moved = new long[at.Length];
        for (int axis = 0; axis < moved.Length; axis++)
        {
            moved[axis] = at[axis] + box.Starts[axis];
        }
        return moved;
    }

    private void Write(int buffer, Literal value)
    {
        if (_plan.Buffers[buffer].Box is not { } box)
        {
            value.Bytes.CopyTo(Memory(buffer));
            return;
        }
        var whole = new Literal(Known(box.Whole), Memory(buffer).ToArray());
        Literal written = Literal.Generate(whole.Type, at =>
        {
            var from = new long[at.Length];
            bool isInside = true;
            for (int axis = 0; axis < from.Length; axis++)
            {
                from[axis] = at[axis] - box.Starts[axis];
                isInside &= from[axis] >= 0 && from[axis] < value.Shape[axis].Value;
            }
            return isInside ? value[from] : whole[at];
        });
        written.Bytes.CopyTo(Memory(buffer));
    }

    private void Run(ComputationPlan plan)
    {
        foreach (PlanStep step in plan.Steps)
        {
            switch (step)
            {
                case RunStep run:
                    _run(run, Memory);
                    break;
                case CopyStep copy:
                    Copies++;
                    Write(copy.To, Read(copy.From, copy.Type));
                    break;
                case PartsStep:
                    break;
                case WhileStep loop:
                    while (Holds(loop))
                    {
                        Run(loop.Body);
                    }
                    break;
                case BranchStep branch:
                    Run(branch.Branches[Chosen(branch)]);
                    break;
            }
        }
    }

    private void Evaluate(RunStep run)
    {
        Literal[] operands = [.. run.Operands.Select((buffer, i) => Read(buffer, run.Node.Operands[i].Type))];
        Literal[] results = run.Node.Op.EvaluateAll(operands, run.Node.Types);
        for (int i = 0; i < results.Length; i++)
        {
            Write(run.Results[i], results[i]);
        }
    }

    private bool Holds(WhileStep loop)
    {
        Run(loop.Condition);
        return Read(loop.Condition.Results[0], TensorType.Scalar(DType.Bool))[0].AsBool;
    }

    private int Chosen(BranchStep step)
    {
        Scalar value = Read(step.Selector, step.Node.Operands[0].Type)[0];
        if (step.Node.Op is IfOp)
        {
            return value.AsBool ? 0 : 1;
        }
        return value.AsInteger >= 0 && value.AsInteger < step.Branches.Length ? (int)value.AsInteger : step.Branches.Length - 1;
    }
}
