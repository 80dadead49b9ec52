using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// The one node that computes something in an optimized module, with its kernels for a GPU; run by the interpreter for any sizes that
/// symbols stand for.
/// </summary>
internal sealed class GpuNode
{
    private readonly Module _module;
    private readonly Node _node;

    public GpuNode(Module module, GpuTarget? target = null, Func<int, bool>? isOverwritten = null)
    {
        KernelTarget machine = KernelTarget.Of(target ?? new GpuTarget(90, true));
        _module = GraphOptimizer.Run(module, StepLowering.OptimizerFor(machine, GraphCompilerOptions.Default));
        _node = _module.Entry.PostOrder().Single(n => n.Op is not (ParameterOp or ReshapeOp or GetTupleElementOp or ConstantOp));
        Kernels = NodeLowering.Lower(
            _node.Op.Name, _node, machine, isOverwritten ?? (_ => false));
    }

    /// <summary>The kernels.</summary>
    public IReadOnlyList<LoweredKernel> Kernels { get; }

    /// <summary>Whether none of the kernels is the processor's.</summary>
    public bool HasOwnSchedule => !Kernels.Any(k => GpuModule.IsThreadPerTask(k.Kernel));

    /// <summary>Runs the one node of a module by kernels of a GPU's own, which must give the reference's bits.</summary>
    public static void Agrees(Module module, Literal[] arguments)
    {
        var node = new GpuNode(module);
        Assert.That(node.HasOwnSchedule);
        Literal[] found = node.Run(arguments);
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(found[i], expected[i], $"result {i}");
        }
    }

    /// <summary>Runs the kernels in order.</summary>
    /// <param name="arguments">A value for each parameter of the module.</param>
    /// <param name="sizes">The values of symbols.</param>
    /// <returns>The results of the node, in its shapes.</returns>
    public Literal[] Run(IReadOnlyList<Literal> arguments, params (DimSymbol Symbol, long Value)[] sizes)
    {
        long Size(DimSymbol symbol) => sizes.Single(s => s.Symbol.Equals(symbol)).Value;
        Memory<byte>[] results = [.. _node.Types.Select(t => new byte[t.SizeInBytes.Evaluate(Size)].AsMemory())];
        foreach (Memory<byte> result in results)
        {
            result.Span.Fill(0xCD);
        }
        long workspace = Kernels.SelectMany(k => k.Operands).OfType<KernelOperand.Workspace>()
            .Select(w => w.SizeInBytes.Evaluate(Size)).DefaultIfEmpty(0).Max();
        Memory<byte> scratch = new byte[workspace];
        scratch.Span.Fill(0xCD);
        foreach (LoweredKernel lowered in Kernels)
        {
            new KernelInterpreter(lowered.Kernel, [.. lowered.Operands.Select(Contents)], Size).Run();
        }
        return [.. results.Select((r, i) => new Literal(
            _node.Types[i] with { Shape = Shape.From(_node.Types[i].Shape.Select(d => (Dim)d.Evaluate(Size))) }, r.ToArray()))];

        Memory<byte> Contents(KernelOperand operand) => operand switch
        {
            KernelOperand.Workspace => scratch,
            KernelOperand.Value value when ReferenceEquals(value.Node, _node) => results[value.Result],
            KernelOperand.Value value => Bytes(value.Node),
            KernelOperand.Constant { Content: KernelConstant.Of constant } => PlannedModule.BytesOf(constant),
            _ => throw new AssertionException($"unknown operand {operand}"),
        };

        Memory<byte> Bytes(Node node) => node.Op switch
        {
            ParameterOp p => arguments[p.Number].Bytes.ToArray(),
            ConstantOp c => c.Value.Bytes.ToArray(),
            ReshapeOp => Bytes(node.Operands[0]),
            _ => throw new AssertionException($"{node} is no parameter"),
        };
    }
}
