using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Every case of every op through the whole compiler: machine code gives what the reference gives, and the interpreter the bits
/// that machine code gives.
/// </summary>
internal sealed class CompiledOpTests
{
    private static IEnumerable<string> Names => OpCaseModule.Names;

    [TestCaseSource(nameof(Names))]
    public void MachineCodeGivesTheReference(string name)
    {
        OpCaseModule cases = OpCaseModule.Of(name);

        Literal[] actual = CompiledModule.Run(cases.Module, cases.Inputs);

        cases.AssertReference(actual, new InterpretedModule(cases.Module).Run(cases.Inputs));
    }

    [Test]
    public void SoDoesCodeForOldProcessors()
    {
        if (LlvmTarget.Host().Architecture != LlvmArchitecture.X64)
        {
            Assert.Ignore("x86-64 code runs on x86-64 alone");
        }
        OpCaseModule cases = OpCaseModule.OfAll();

        Literal[] actual = CompiledModule.Run(cases.Module, cases.Inputs, LlvmTarget.X64);

        cases.AssertReference(actual, new InterpretedModule(cases.Module, LlvmTarget.X64).Run(cases.Inputs), hasFma: false);
    }
}
