using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Every case of every op through the schedules for a GPU, in the interpreter: the results are the reference's.</summary>
internal sealed class GpuOpTests
{
    private static IEnumerable<string> Names => OpCaseModule.Names;

    [TestCaseSource(nameof(Names))]
    public void KernelsGiveTheReference(string name)
    {
        OpCaseModule cases = OpCaseModule.Of(name);
        var module = new GpuModule(cases.Module);

        Literal[] actual = module.Run(cases.Inputs);

        TestContext.Out.WriteLine(string.Join('\n', module.Report));
        cases.AssertReference(actual);
    }
}
