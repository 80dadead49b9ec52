using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>A session that looks for NaN and infinities names the op that made the first one, inside fused kernels, too.</summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class DebugNumericsTests(bool compiled)
{
    private Graph _graph = null!;
    private Tensor _x = null!;

    [SetUp]
    public void Make()
    {
        _graph = new Graph();
        _x = _graph.Placeholder(DType.F32, ["n"], "x");
    }

    [Test]
    public void FiniteRunsGiveTheSameBits()
    {
        Tensor y = ((_x - 1).Log() * 2).Tanh().ReduceSum();
        float[] values = [3, 2, 1.5f, 1e20f];

        Assert.That(Run(y, values), Is.EqualTo(Run(y, values, debug: false)));
    }

    [Test]
    public void TheOpItsInputsAndItsLineAreNamed()
    {
        Tensor shifted = _x - 1;
        Tensor logs = shifted.Log(); // the line
        Tensor loss = (logs * 2 + 5).Exp().ReduceSum(); // exp(-infinity) is finite again

        GraphException error = Error(loss, 3, 2, 1);

        Assert.Multiple(() =>
        {
            Assert.That(error.Id, Is.EqualTo(RuntimeDiagnostics.NotFinite));
            Assert.That(error.What, Does.StartWith("log: its result f32[n] is the first that is not finite: "));
            Assert.That(error.What, Does.EndWith("[0 to 0.693147, 1 of 3 infinite]"));
            Assert.That(error.Where, Does.Contain($"DebugNumericsTests.cs:{LineOf("// the line")}"));
            Assert.That(error.Why, Does.Contain("subtract f32[n] [0 to 2]").And.Contain($":{LineOf("// the line") - 1}"));
        });
    }

    [Test]
    public void ANaNIsFoundWhereItIsMade()
    {
        Tensor root = _x.Sqrt();
        Tensor y = (root * 0 + 1).ReduceMax();

        Assert.That(Error(y, 4, -1).What, Does.StartWith("sqrt: ").And.EndWith("[2 to 2, 1 of 2 NaN]"));
    }

    [Test]
    public void MasksOfInfinityAreFineButNotTheirDifference()
    {
        Tensor mask = _x.Less(0).Where(_graph.Fill(DType.F32, _x.Shape, double.NegativeInfinity), _graph.Zeros(DType.F32, _x.Shape));
        Tensor y = (_x + mask).Softmax();

        Assert.That(Run(y, [1, -1]).As<float>().ToArray(), Is.EqualTo(new float[] { 1, 0 }));
        Assert.That(Error(y, -1, -2).What, Does.StartWith("subtract: "), "all is masked: -infinity minus -infinity");
    }

    [Test]
    public void AFedNaNIsTheFeedersFault()
    {
        Tensor y = _x * 2;

        Assert.That(Error(y, 1, float.NaN).What, Is.EqualTo("input 'x' f32[n] was fed NaN"));
        Assert.That(Run(y, [float.PositiveInfinity]).As<float>()[0], Is.EqualTo(float.PositiveInfinity));
    }

    [Test]
    public void OpsInLoopsAndBranchesAreFound()
    {
        Tensor looped = _graph.While(
            [_graph.Constant(3f), _x], v => v[0].Greater(-2), v => [v[0] - 1, _graph.Cond(v[0].Less(1), () => v[1] / v[0], () => v[1])])[1];

        Assert.That(Error(looped.ReduceSum(), 1, 2).What, Does.StartWith("divide: "));
        Assert.That(Error(looped.ReduceSum(), 1, 2).Why, Does.Contain("in the body of a branch or loop"));
    }

    [Test]
    public void NothingIsAssigned()
    {
        Variable total = _graph.Variable(Literal.From<float>([1]), "total");
        Operation add = total.AssignAdd((1 / _x).ReduceSum());
        using Session session = Open(debug: true);

        session.Run([], [(_x, new float[] { 1 })], [add]);
        Assert.Throws<GraphException>(() => session.Run([], [(_x, new float[] { 0 })], [add]));
        Assert.That(session.ValueOf(total)[0].AsDouble, Is.EqualTo(2));
    }

    [Test]
    public void ModulesAreSearchedToo()
    {
        Module module = _graph.ToModule([_x.Log().Named("y")]);
        using var session = new Session(module, Compiler(), new SessionOptions { DebugNumerics = true });

        Assert.That(
            () => session.Run("y", new Dictionary<string, Feed> { ["x"] = new float[] { -1 } }),
            Throws.TypeOf<GraphException>().With.Message.Contains("log: "));
    }

    private static int LineOf(string mark)
    {
        string[] lines = File.ReadAllLines(Support.RepositoryRoot.Combine("Graph.Tests", "Runtime", "DebugNumericsTests.cs"));
        return 1 + Array.FindIndex(lines, l => l.EndsWith(mark, StringComparison.Ordinal));
    }

    private IGraphCompiler Compiler() => compiled ? GraphCompiler.Cpu() : new ReferenceCompiler();

    private Session Open(bool debug) => new(_graph, Compiler(), new SessionOptions { DebugNumerics = debug });

    private Literal Run(Tensor y, float[] values, bool debug = true)
    {
        using Session session = Open(debug);
        return session.Run(y, (_x, values));
    }

    private GraphException Error(Tensor y, params float[] values) => Assert.Throws<GraphException>(() => Run(y, values))!;
}
