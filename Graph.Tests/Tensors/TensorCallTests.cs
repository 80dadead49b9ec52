using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Tensors;

/// <summary>Calls on the tensors of .NET. The tests of packages make the same checks with another version of them.</summary>
internal sealed class TensorCallTests
{
    private static IEnumerable<TestCaseData> Checks =>
        TensorChecks.All.Select(c => new TestCaseData(c.Check).SetArgDisplayNames(c.Name));

    [TestCaseSource(nameof(Checks))]
    public void WithTheVersionThatIsReferredTo(Action<Callable> check)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        using var session = new Session(graph, GraphCompiler.Cpu());
        using Callable call = session.MakeCallable([x * 2], [x]);
        Assert.That(() => check(call), Throws.Nothing);
    }
}
