using Graphene.Cli;
using Graphene.Cli.Commands;
using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary><c>graphene bisect</c> on a pipeline in which one rule of many is wrong.</summary>
internal sealed class BisectTests
{
    // The simplifier has work before and behind the subtraction, so that the guilty rewrite is one among others.
    private const string Text = """
        module "suspect"
        inputs "x", "y"
        outputs "z"

        %p0 = f32[4,3] parameter(0)
        %p1 = f32[3,4] parameter(1)
        %0 = f32[3,4] transpose(%p0), permutation=[1,0]
        %1 = f32[4,3] transpose(%0), permutation=[1,0]
        %2 = f32[4,3] transpose(%p1), permutation=[1,0]
        %3 = f32[3,4] transpose(%2), permutation=[1,0]
        %4 = f32[4,3] transpose(%3), permutation=[1,0]
        %5 = f32[4,3] subtract(%1, %4)
        %6 = f32[4,3] reverse(%5), dimensions=[0]
        %7 = f32[4,3] reverse(%6), dimensions=[0]
        %8 = f32[4,3] tanh(%7)
        return %8

        """;

    private string _graph = "";

    [SetUp]
    public void WriteGraph()
    {
        _graph = Path.Combine(Directory.CreateTempSubdirectory("graphene-bisect-").FullName, "suspect.hlo");
        File.WriteAllText(_graph, Text);
    }

    [TearDown]
    public void RemoveGraph() => Directory.Delete(Path.GetDirectoryName(_graph)!, recursive: true);

    [Test]
    public void TheGuiltyRewriteIsNamed()
    {
        (int exit, string output, string error) = Bisect(new SubtractionAsAddition());

        Assert.That(exit, Is.EqualTo(ExitCode.Negative), error);
        Assert.That(output, Does.Match(@"(?m)^rewrite \d+, subtraction-as-addition: .*subtract"));
        Assert.That(output, Does.Contain("after it: output 'z': 12 of 12 elements differ"));
        string[] counts = output.Split('\n')[0].Split(' ');
        long good = long.Parse(counts[2]);
        long all = long.Parse(counts[4]);
        Assert.That(good, Is.Positive.And.LessThan(all - 1), "the fault is neither the first nor the last rewrite");
    }

    [Test]
    public void ARewriteThatChangesATypeIsNamed()
    {
        (int exit, string output, string error) = Bisect(new NegationOfAnotherType());

        Assert.That(exit, Is.EqualTo(ExitCode.Negative), error);
        Assert.That(output, Does.Match(@"(?m)^rewrite \d+, negation-of-another-type: "));
        Assert.That(output, Does.Contain("the result is f64[4,3], expected f32[4,3]"));
    }

    [Test]
    public void AGoodPipelineIsCleared()
    {
        (int exit, string output, _) = Bisect();

        Assert.That(exit, Is.EqualTo(ExitCode.Success));
        Assert.That(output, Does.Match(@"^none of [1-9]\d* rewrites changes the result"));
    }

    private CliRun Bisect(params IGraphPass[] faults)
    {
        IGraphPass[] passes = [.. Pipelines.Default().Passes.DistinctBy(p => p.Name)];
        using var output = new StringWriter();
        using var error = new StringWriter();
        // Behind the first half of the passes, in front of the second.
        var pipeline = PassPipeline.Of([.. passes[..(passes.Length / 2)], .. faults, .. passes[(passes.Length / 2)..]]);
        int exit = BisectCommand.Create(new CommandIO(output, error), pipeline).Parse([_graph]).Invoke();
        return new CliRun(exit, output.ToString(), error.ToString());
    }

    private sealed class SubtractionAsAddition() : RewritePass("subtraction-as-addition")
    {
        protected override Node? TryRewrite(GraphBuilder b, Node node) =>
            node is { Op.Name: "subtract", Operands: [var x, var y] } ? b.Add(x, y) : null;
    }

    private sealed class NegationOfAnotherType() : GraphPass("negation-of-another-type")
    {
        public override Module Run(Module module, PassContext context)
        {
            if (!context.TryTakeRewrite(() => "the result gets another type"))
            {
                return module;
            }
            var b = new GraphBuilder(module.Provenance);
            Computation wrong = ComputationRewriter.Rebuild(
                b, module.Entry,
                (old, operands) => old.Op.Name == "tanh"
                    ? b.Convert(operands[0], DType.F64)
                    : b.Add(old.Op, [.. operands]));
            return module with { Entry = wrong };
        }
    }
}
