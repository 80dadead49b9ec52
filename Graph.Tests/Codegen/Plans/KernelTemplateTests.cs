using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Plans;

/// <summary>Layers of one structure are lowered once, and each still computes with its own operands and weights.</summary>
[TestFixture]
internal sealed class KernelTemplateTests
{
    private static readonly KernelTarget Target = KernelTarget.Of(GraphCompiler.Cpu().Target);

    [Test]
    public void LayersThatDifferInWeightsShareKernelsAndNotWeights()
    {
        Module module = Layers(16, 16, 16, 16);
        using Executable executable = GraphCompiler.Cpu().Compile(module, NullLogger.Instance, default);
        Assert.That(executable.Plan.Kernels.Select(k => k.Name).Distinct().Count(), Is.LessThan(executable.Plan.Kernels.Length));
        Literal x = Literal.From<float>([.. Enumerable.Range(0, 32).Select(i => i / 32f)], 2, 16);
        Literal compiled = CompiledModule.Run(module, [x])[0];
        double[] expected = Evaluator.Evaluate(module.Entry, [x])[0].ToDoubles();
        Assert.That(compiled.ToDoubles(), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void NodesOfEqualFormGetTheSameKernelOnTheirOwnOperands()
    {
        Node[] dots = Fusions(Layers(16, 16, 16));
        var templates = new KernelTemplates(Target);
        LoweredKernel first = templates.Lower("dot", dots[0], _ => false)[0];
        LoweredKernel second = templates.Lower("dot", dots[1], _ => false)[0];
        Assert.That(second.Kernel, Is.SameAs(first.Kernel));
        Node[] own = [dots[1], .. dots[1].Operands];
        Assert.That(Values(second).All(v => own.Contains(v)), Is.True);
        IEnumerable<KernelConstant> constants = second.Operands.OfType<KernelOperand.Constant>().Select(c => c.Content);
        Literal[] packed = [.. constants.OfType<PackedPanels>().Select(p => p.Matrix)];
        Assert.That(packed, Has.Length.EqualTo(1));
        Assert.That(dots[1].Operands.Any(o => o.Op is ConstantOp c && ReferenceEquals(c.Value, packed[0])), Is.True);
        Assert.That(dots[0].Operands.Any(o => o.Op is ConstantOp c && ReferenceEquals(c.Value, packed[0])), Is.False);
    }

    [Test]
    public void AnotherShapeOrSharingIsAnotherForm()
    {
        Node[] dots = Fusions(Layers(16, 24, 24, 24));
        var templates = new KernelTemplates(Target);
        Kernel first = templates.Lower("dot", dots[0], _ => false)[0].Kernel;
        Kernel other = templates.Lower("dot", dots[1], _ => false)[0].Kernel;
        Assert.That(other, Is.Not.SameAs(first), "16 to 24 and 24 to 24 columns");
        Kernel overwriting = templates.Lower("dot", dots[1], i => dots[1].Operands[i].Op is not ConstantOp)[0].Kernel;
        Assert.That(overwriting, Is.Not.SameAs(other), "an operand that is written over is not read-only");
        Assert.That(templates.Lower("dot", dots[2], _ => false)[0].Kernel, Is.SameAs(other));
    }

    // What a template gives is what lowering the node itself gives, on everything that random graphs make.
    [TestCase(0)]
    [TestCase(100)]
    [TestCase(200)]
    public void TemplatesGiveWhatLoweringGives(int firstSeed)
    {
        for (int seed = firstSeed; seed < firstSeed + 40; seed++)
        {
            Module module = GraphOptimizer.Run(RandomGraph.Generate(seed));
            var templates = new KernelTemplates(Target);
            foreach (Node node in module.Entry.PostOrder().Where(n => n.Op is FusionOp))
            {
                IReadOnlyList<LoweredKernel> moved = templates.Lower("k", node, _ => false);
                IReadOnlyList<LoweredKernel> anew = NodeLowering.Lower("k", node, Target, _ => false);
                Assert.That(
                    moved.Select(k => KernelPrinter.Print(k.Kernel)),
                    Is.EqualTo(anew.Select(k => KernelPrinter.Print(k.Kernel))), $"seed {seed}");
                for (int i = 0; i < moved.Count; i++)
                {
                    Assert.That(moved[i].Operands, Is.EqualTo(anew[i].Operands), $"seed {seed}");
                }
            }
        }
    }

    private static IEnumerable<Node> Values(LoweredKernel lowered) => lowered.Operands.OfType<KernelOperand.Value>().Select(v => v.Node);

    private static Node[] Fusions(Module module) =>
        [.. GraphOptimizer.Run(module).Entry.PostOrder().Where(n => n.Op is FusionOp { Kind: FusionKind.Dot })];

    // tanh(x w + b), several times; sizes are those of the layers.
    private static Module Layers(params int[] sizes) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, sizes[0])));
        for (int i = 1; i < sizes.Length; i++)
        {
            Node w = b.Constant(Sines(i, sizes[i - 1], sizes[i]));
            Node bias = b.Constant(Sines(i + 50, sizes[i]));
            Node product = b.MatMul(x, w);
            x = b.Elementwise(ElementwiseTable.HyperbolicTangent, b.Add(product, b.BroadcastInDim(bias, product.Shape, [1])));
        }
        return [x];
    });

    private static Literal Sines(int seed, params long[] shape) =>
        Literal.From<float>(
            [
                .. Enumerable.Range(0, (int)shape.Aggregate(1L, (n, d) => n * d))
                    .Select(i => MathF.Sin(seed + (i * 0.37f))),
            ],
            shape);
}
