using System.Globalization;
using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Runtime.Gpu;
using Graphene.Train;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Training;

using Optimizer = Graphene.Train.Optimizer; // Graphene.Optimizer is a namespace

/// <summary>An optimizer's update of a hundred parameters of different sizes is at most three calls of kernels.</summary>
internal sealed class UpdateKernelTests
{
    private const int Parameters = 100;

    private static readonly GraphCompilerOptions Apart = new()
    {
        Optimizer = OptimizerOptions.Default with { Debug = DebugOptions.None with { DisabledPasses = ["batch-fusion"] } },
    };

    private static IEnumerable<TestCaseData> Optimizers => new (string Name, Func<Optimizer> Make)[]
    {
        ("SGD", () => new SGD(0.01)),
        ("Momentum", () => new SGD(0.01, 0.9)),
        ("Nesterov", () => new SGD(0.01, 0.9, nesterov: true)),
        ("RMSprop", () => new RMSprop(0.01)),
        ("CenteredRMSprop", () => new RMSprop(0.01, momentum: 0.9, centered: true)),
        ("Adagrad", () => new Adagrad(0.01)),
        ("Adam", () => new Adam(0.01)),
        ("AdamW", () => new AdamW(0.01)),
        ("Lion", () => new Lion(0.01)),
        ("ClippedAdam", () => new Adam(0.01) { Clipping = GradientClipping.ByValue(0.5) }),
        ("AveragedAdam", () => new Adam(0.01) { EmaMomentum = 0.99 }),
    }.Select(o => new TestCaseData(o.Make).SetArgDisplayNames(o.Name));

    [TestCaseSource(nameof(Optimizers))]
    public void UpdateOfAHundredParametersIsThreeKernelsAtMost(Func<Optimizer> make)
    {
        (Graph graph, Operation step) = Update(make());
        using Executable executable = GraphCompiler.Cpu().Compile(
            graph.ToModule([], null, [step]), NullLogger.Instance, CancellationToken.None);

        Assert.That(executable.Plan.Kernels, Has.Length.LessThanOrEqualTo(3));
    }

    [TestCaseSource(nameof(Optimizers))]
    public void UpdatesHaveTheBitsOfSingleKernels(Func<Optimizer> make) =>
        Assert.That(WeightsAfterThreeSteps(make(), null, 2), Is.EqualTo(WeightsAfterThreeSteps(make(), Apart, 1)));

    // Two kernels that are not joined, and as many starts of the update as its words need: 4 KiB hold 42 members of 11.
    [TestCaseSource(nameof(Optimizers))]
    public void OnAGpuTheyAreAFewStartsWithTheSameBits(Func<Optimizer> make)
    {
        using var gpu = new GpuTestSession();
        (Graph graph, Operation step) = Update(make());
        using (Session session = gpu.Open(graph))
        {
            session.Run([], [], [step]);
            Assert.That(gpu.Device.Launches, Is.LessThanOrEqualTo(6));
            for (int i = 1; i < 3; i++)
            {
                session.Run([], [], [step]);
            }
            Assert.That(Bytes(graph, session), Is.EqualTo(WeightsAfterThreeSteps(make(), Apart, 1)));
        }
    }

    private static byte[] Bytes(Graph graph, Session session) => [.. graph.Variables.SelectMany(v => session.ValueOf(v).Bytes.ToArray())];

    private static byte[] WeightsAfterThreeSteps(Optimizer optimizer, GraphCompilerOptions? options, int threads)
    {
        (Graph graph, Operation step) = Update(optimizer);
        using var session = new Session(graph, GraphCompiler.Cpu(options), new SessionOptions { MaxThreads = threads });
        for (int i = 0; i < 3; i++)
        {
            session.Run([], [], [step]);
        }
        return Bytes(graph, session);
    }

    // Gradients are weights of their own here: what is counted is the update alone.
    private static (Graph Graph, Operation Step) Update(Optimizer optimizer)
    {
        var graph = new Graph();
        var weights = new List<Variable>();
        var gradients = new List<Tensor>();
        for (int i = 0; i < Parameters; i++)
        {
            long[] shape = i % 3 == 2 ? [7 + i] : [3 + i, 5 + (i % 17)];
            weights.Add(Of("w", shape, i));
            gradients.Add(Of("g", shape, i + 1).Read());
        }
        return (graph, optimizer.Apply(gradients, weights));

        Variable Of(string name, long[] shape, int seed) => graph.Variable(
            Literal.From<float>(
                [
                    .. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b))
                        .Select(k => MathF.Sin(seed + (k * 0.7f))),
                ],
                shape),
            string.Create(CultureInfo.InvariantCulture, $"{name}{seed}"));
    }
}
