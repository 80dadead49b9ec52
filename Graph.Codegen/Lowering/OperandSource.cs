using System.Globalization;

namespace Graphene.Codegen;

/// <summary>
/// The operands and results of a node that is no fusion, for the schedules of single ops: operand elements as expressions, and an
/// emitter for them.
/// </summary>
internal sealed class OperandSource
{
    private readonly Node _node;
    private readonly KBuffer[] _inputs;
    private readonly ElementComposer _composer = new(new ExprPool(), (_, _, _) => null);

    public OperandSource(Node node)
    {
        _node = node;
        _inputs = [.. node.Operands.Select((o, i) => Arguments.Input(
            "in" + i.ToString(CultureInfo.InvariantCulture), o.DType, new KernelOperand.Value(o)))];
        Outputs = [.. node.Types.Select((t, i) => Arguments.Output(
            "out" + i.ToString(CultureInfo.InvariantCulture), t.DType, new KernelOperand.Value(node, i)))];
        F = new ExprFactory(_composer.Pool);
        Emitter = new ExprEmitter(B, new ExprAnalysis(), i => i < _inputs.Length ? _inputs[i] : Outputs[i - _inputs.Length]);
    }

    public KernelArguments Arguments { get; } = new();

    public KBuilder B { get; } = new();

    public ExprFactory F { get; }

    public ExprEmitter Emitter { get; }

    public IReadOnlyList<KBuffer> Outputs { get; }

    /// <summary>The operands.</summary>
    public IReadOnlyList<KBuffer> Inputs => _inputs;

    /// <summary>An element of an operand.</summary>
    public ScalarExpr Operand(int operand, IndexVector at) => F.Load(operand, _node.Operands[operand].Type, at);

    /// <summary>Applies a computation over scalars.</summary>
    public ScalarExpr[] Apply(Computation body, params ScalarExpr[] arguments) => _composer.Apply(body, arguments);

    /// <summary>Loops over a box one after another, with a counter expression per dimension.</summary>
    public void ForEach(IReadOnlyList<Dim> extents, Action<IndexVariable[]> body)
    {
        IndexVariable[] variables = [.. extents.Select((e, i) => F.Variable($"i{i}", e))];
        Loop(0);

        void Loop(int depth)
        {
            if (depth == variables.Length)
            {
                body(variables);
                return;
            }
            B.For("i", 0, KBuilder.Value(extents[depth]), 1, counter => Emitter.InScope(() =>
            {
                Emitter.Bind(variables[depth], counter);
                Loop(depth + 1);
            }));
        }
    }

    /// <summary>The position of an index in a tensor.</summary>
    public KExpr Position(IndexVector at, TensorType type) => B.Let("at", Emitter.EmitPosition(AffineIndex.Of(at, type)));

    /// <summary>Closes a kernel for threads.</summary>
    public LoweredKernel ToKernel(string name, KVariable task, KExpr taskCount, KThreads threads)
    {
        LoweredKernel lowered = ToKernel(name, task, taskCount);
        return lowered with { Kernel = lowered.Kernel with { Threads = threads } };
    }

    /// <summary>Closes the kernel.</summary>
    public LoweredKernel ToKernel(string name, KVariable task, KExpr taskCount)
    {
        Dim bytes = _node.Operands.Select(o => o.Type).Concat(_node.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        return new LoweredKernel(
            new Kernel(name, Arguments.Buffers, task, taskCount, B.ToBlock(), new KernelCost(0, bytes)), Arguments.Operands);
    }
}
