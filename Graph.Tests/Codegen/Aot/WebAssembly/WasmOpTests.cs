using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Every case of every op gives in Node what the reference gives, with vectors and without.</summary>
internal sealed class WasmOpTests
{
    // What needs a host is refused, see GR5061.
    private static readonly Lazy<OpCaseModule> Cases = new(() => OpCaseModule.OfAllBut("host_call"));

    [TestCase("wasm32")]
    [TestCase("wasm32-simd")]
    public void EveryOpGivesTheReference(string name)
    {
        NodeEngine.Require();
        LlvmTarget target = AotTarget.Parse(name).Variants[0].Machine;
        OpCaseModule cases = Cases.Value;
        using var folder = new TemporaryFolder();
        WasmRun.Compile(cases.Module, folder, target);

        Literal[][] results = WasmRun.Run(folder, cases.Module.InputNames, [cases.Expected], [cases.Inputs]).Results;

        cases.AssertReference(results[0], hasFma: target.HasFma);
    }
}
