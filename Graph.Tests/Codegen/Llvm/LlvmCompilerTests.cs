using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Llvm;

/// <summary>IR text goes in; the same object code or assembly comes out every time, or a clear refusal.</summary>
internal sealed class LlvmCompilerTests
{
    private static readonly LlvmTarget[] CpuTargets =
        [LlvmTarget.X64, LlvmTarget.X64V3, LlvmTarget.X64V4, LlvmTarget.Arm64];

    [TestCaseSource(nameof(CpuTargets))]
    public void EqualArgumentsGiveEqualBytes(LlvmTarget target)
    {
        byte[] first = LlvmCompiler.Compile(SampleIr.Saxpy, target);
        byte[] second = LlvmCompiler.Compile(SampleIr.Saxpy, target);

        Assert.That(first.AsSpan(0, 4).SequenceEqual("\u007fELF"u8));
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void ModulesCompiledInParallelAreThoseCompiledAlone()
    {
        string[] modules = [.. Enumerable.Range(0, 24).Select(i => SampleIr.Saxpy.Replace("@saxpy", $"@saxpy{i % 3}"))];

        byte[][] together = LlvmCompiler.CompileAll(modules, LlvmTarget.X64V3, threads: 4);

        for (int i = 0; i < modules.Length; i++)
        {
            Assert.That(together[i], Is.EqualTo(LlvmCompiler.Compile(modules[i], LlvmTarget.X64V3)), $"module {i}");
        }
    }

    [Test]
    public void TheFirstModuleThatIsRefusedIsReported()
    {
        string[] modules = [SampleIr.Saxpy, "first mistake", SampleIr.Copy, "second mistake"];

        var error = Assert.Throws<CompilerBugException>(
            () => LlvmCompiler.CompileAll(modules, LlvmTarget.X64, threads: 3))!;

        Assert.That(error.Message, Does.Contain("first mistake"));
    }

    [Test]
    public void CancellationStopsBeforeTheNextModule()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.That(
            () => LlvmCompiler.CompileAll([SampleIr.Saxpy], LlvmTarget.X64, cancellationToken: cancelled.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void SyntaxErrorsNameTheLine()
    {
        var error = Assert.Throws<CompilerBugException>(
            () => LlvmCompiler.Compile("define i64 @f() {\n  ret i64 %nothing\n}", LlvmTarget.X64))!;

        Assert.That(error.Where, Is.EqualTo("LLVM parse"));
        Assert.That(error.Message, Does.Contain("module:2:11: error: use of undefined value '%nothing'"));
    }

    [Test]
    public void InvalidModulesAreRefused()
    {
        const string dominance = """
            define i64 @f(i1 %c) {
            entry:
              br i1 %c, label %a, label %b
            a:
              %x = add i64 1, 2
              br label %b
            b:
              ret i64 %x
            }
            """;

        var error = Assert.Throws<CompilerBugException>(() => LlvmCompiler.Compile(dominance, LlvmTarget.X64))!;

        Assert.That(
            error.Message, Does.StartWith("compiler bug in LLVM verify: Instruction does not dominate all uses!"));
    }

    [Test]
    public void UnknownPassesAreRefused()
    {
        var options = new LlvmCompilerOptions { Passes = "function(no-such-pass)" };

        var error = Assert.Throws<CompilerBugException>(
            () => LlvmCompiler.Compile(SampleIr.Copy, LlvmTarget.X64, options))!;

        Assert.That(error.Message, Does.Contain("no-such-pass"));
    }

    [Test]
    public void WhatTheBackEndCannotDoIsAnErrorAndNotTheEndOfTheProcess()
    {
        const string ir = "define float @f(float %x) { %r = fadd float %x, 1.0 ret float %r }";
        LlvmTarget withoutFloats = LlvmTarget.X64 with { Features = "-sse,-sse2" };

        var error = Assert.Throws<CompilerBugException>(() => LlvmCompiler.Compile(ir, withoutFloats))!;

        Assert.That(error.Where, Is.EqualTo("LLVM emit"));
    }

    [TestCase("sparc-sun-solaris")]
    [TestCase("")]
    [TestCase("x86_65-unknown-linux-gnu")]
    public void UnknownTargetsAreRefused(string triple)
    {
        var error = Assert.Throws<GraphException>(
            () => LlvmCompiler.Compile(SampleIr.Copy, new LlvmTarget(triple)))!;

        Assert.That(error.Id.Code, Is.EqualTo("GR5002"));
        Assert.That(error.Why, Does.Contain("x86_64, aarch64, riscv64, armv7, thumbv7em, wasm32 and nvptx64"));
    }

    [Test]
    public void MultiplicationAndAdditionAreNotFused()
    {
        const string ir = """
            define <8 x float> @f(<8 x float> %a, <8 x float> %b, <8 x float> %c) {
              %m = fmul <8 x float> %a, %b
              %r = fadd <8 x float> %m, %c
              ret <8 x float> %r
            }
            """;

        string assembly = LlvmCompiler.Assembly(ir, LlvmTarget.X64V3);

        Assert.That(assembly, Does.Contain("vmulps").And.Contain("vaddps").And.Not.Contain("vfmadd"));
    }

    [Test]
    public void VectorsAreAsWideAsTheProcessorHasThem()
    {
        string v3 = LlvmCompiler.Assembly(SampleIr.Wide, LlvmTarget.X64V3);
        string v4 = LlvmCompiler.Assembly(SampleIr.Wide, LlvmTarget.X64V4);

        Assert.That(v3, Does.Contain("%ymm").And.Not.Contain("%zmm"));
        Assert.That(v4, Does.Contain("%zmm"));
    }

    [TestCase("riscv64-unknown-linux-gnu", "generic-rv64", "+m,+a,+f,+d,+v", "riscv64")]
    [TestCase("wasm32-unknown-unknown", "", "+simd128", "asm")]
    public void OtherTargetsGiveObjects(string triple, string cpu, string features, string magic)
    {
        byte[] code = LlvmCompiler.Compile(SampleIr.Saxpy, new LlvmTarget(triple, cpu, features));

        Assert.That(code.AsSpan(1, 3).SequenceEqual(magic == "asm" ? "asm"u8 : "ELF"u8));
    }

    [Test]
    public void NvidiaTargetGivesPtx()
    {
        const string kernel = """
            define ptx_kernel void @negate(ptr addrspace(1) %x) {
              %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
              %p = getelementptr float, ptr addrspace(1) %x, i32 %i
              %v = load float, ptr addrspace(1) %p
              %n = fneg float %v
              store float %n, ptr addrspace(1) %p
              ret void
            }
            declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
            """;

        string ptx = LlvmCompiler.Assembly(kernel, new LlvmTarget("nvptx64-nvidia-cuda", "sm_80", "+ptx74"));

        Assert.That(ptx, Does.Contain(".target sm_80").And.Contain("neg.f32"));
    }

    [Test]
    public void PassesRemoveWhatThePrinterNeedNotCareAbout()
    {
        string optimized = LlvmCompiler.Optimize(SampleIr.Saxpy, LlvmTarget.X64V3);

        Assert.That(optimized, Does.Not.Contain("alloca").And.Contain("phi i64"));
        Assert.That(optimized, Does.Contain("target triple = \"x86_64-unknown-linux-gnu\""));
    }
}
