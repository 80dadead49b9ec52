using System.Globalization;
using System.Text.Json;
using Graphene.Codegen.Aot;
using Graphene.Interop.Onnx;
using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>What is in an artifact, and what is not: sizes, symbols, shared constants, and the same bytes each time.</summary>
[TestFixture]
internal sealed class NativeArtifactTests
{
    private static readonly string Digits = RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx");

    // Gate E5: code and its data without the weights.
    [Test]
    public void MlpHasAtMost24KilobytesOfCode()
    {
        CompiledLibrary library = LoadedNative.Compile(Mlp(), hasExternalWeights: true);
        long bytes = ObjectSections.Read(library.Object.Span)
            .Where(s => s.Name.StartsWith(".text", StringComparison.Ordinal) || s.Name.Contains("rodata", StringComparison.Ordinal) ||
                s.Name.StartsWith(".data", StringComparison.Ordinal))
            .Sum(s => s.Length);
        TestContext.Out.WriteLine(
            $"{bytes} bytes of code and data, {library.Object.Length} of the object, "
                + $"{library.Weights!.Value.Length} of weights");
        Assert.That(bytes, Is.LessThanOrEqualTo(24 * 1024));
    }

    // Gate E5: what a small device holds of the network with bytes for weights, and the memory that it takes.
    [TestCase("aarch64")]
    [TestCase("riscv64")]
    [TestCase("armv7")]
    [TestCase("thumbv7em")]
    public void MlpOfBytesFitsASmallDevice(string target)
    {
        CompiledLibrary library = LoadedNative.Compile(MlpOfBytes(), AotTarget.Parse(target), isFreestanding: true);
        long flash = ObjectSections.Read(library.Object.Span).Where(s => s.IsAllocated).Sum(s => s.Length);
        long memory = library.Functions[0].StaticWorkspaceBytes + library.StackBytes;
        TestContext.Out.WriteLine($"{target}: {flash} bytes of code and weights, {memory} of memory");
        Assert.That(flash, Is.LessThanOrEqualTo(130 * 1024));
        Assert.That(memory, Is.LessThanOrEqualTo(8 * 1024));
        Assert.That(library.UndefinedSymbols, Is.Empty);
    }

    // Gate E4: a program for a device without operating system, whose linker script says where everything lies.
    [Test]
    public void AnObjectForABareMachineLinks()
    {
        CompiledLibrary library = LoadedNative.Compile(MlpOfBytes(), AotTarget.Parse("thumbv7em"), isFreestanding: true);
        CToolchain.NeedLinker();
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Combine("m.o"), library.Object.ToArray());
        File.WriteAllText(folder.Combine("device.ld"), """
            ENTRY(m_run)
            MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 256K RAM (rw) : ORIGIN = 0x20000000, LENGTH = 32K }
            SECTIONS {
              .text : { KEEP(*(.text*)) *(.rodata*) *(.data.rel.ro*) } > FLASH
              .ARM.exidx : { *(.ARM.exidx*) } > FLASH
              .data : { *(.data*) *(.bss*) } > RAM
            }
            """);
        (int exit, string output, string error) = CToolchain.Start(
            SharedLibraryLinker.Find()!, ["-m", "armelf", "-T", "device.ld", "-o", "device.elf", "m.o"], folder.Path);
        Assert.That(exit, Is.Zero, output + error);
        List<ObjectSections.Section> sections = ObjectSections.Read(File.ReadAllBytes(folder.Combine("device.elf")));
        TestContext.Out.WriteLine(
            $"flash {sections.Where(s => s.IsAllocated && !s.IsWritable).Sum(s => s.Length)}, "
            + $"memory that is written when it starts {sections.Where(s => s.IsWritable).Sum(s => s.Length)}");
        Assert.That(sections.Where(s => s.IsWritable).Sum(s => s.Length), Is.Zero);
    }

    [Test]
    public void NothingIsWrittenAndOnlyTheInterfaceIsVisible()
    {
        foreach (Module module in (Module[])[Mlp(), Import(Digits)])
        {
            CompiledLibrary library = LoadedNative.Compile(module, isFreestanding: true);
            Assert.That(ObjectSections.Read(library.Object.Span).Where(s => s.IsWritable && s.Length > 0 &&
                !s.Name.StartsWith(".data.rel.ro", StringComparison.Ordinal)), Is.Empty);
            Assert.That(
                ObjectSymbols.Read(library.Object.Span).Where(s => s.IsGlobal).Select(s => s.Name), Is.EquivalentTo(library.Exports));
            Assert.That(library.UndefinedSymbols, Is.Empty);
        }
    }

    [Test]
    public void EveryKernelIsUsed()
    {
        foreach (Module module in (Module[])[Mlp(), Import(Digits)])
        {
            CompiledLibrary library = LoadedNative.Compile(module);
            string[] present =
            [
                .. ObjectSymbols.Read(library.Object.Span).Select(s => s.Name)
                    .Where(n => n.Contains("..", StringComparison.Ordinal)),
            ];
            string[] called =
                [
                    .. library.Functions.SelectMany(f => f.Plans).SelectMany(p => p.Plan.Kernels).Select(k => k.Name)
                        .Distinct(),
                ];
            Assert.That(present, Is.EquivalentTo(called));
        }
    }

    [Test]
    public void VariantsAndSignaturesShareConstants()
    {
        Module mlp = Mlp();
        CompiledLibrary one = LoadedNative.Compile(mlp);
        CompiledLibrary three = LoadedNative.Compile(mlp, AotTarget.Parse("x86-64"));
        Assert.That(three.WeightsPlace.Length, Is.LessThan(1.1 * one.WeightsPlace.Length));

        CompiledLibrary two = NativeLibraryCompiler.Compile(
            [new NativeSignature("run", mlp), new NativeSignature("again", mlp)], AotTarget.Parse("x86-64-v3"),
            new NativeOptions { Name = "m" },
            NullLogger.Instance);
        Assert.That(two.WeightsPlace.Length, Is.EqualTo(one.WeightsPlace.Length));
        Assert.That(Kernels(two), Is.EqualTo(Kernels(one)), "equal kernels are there once");
        Assert.That(two.Exports, Does.Contain("m_again").And.Contain("m_again_describe").And.Contain("m_run").And.Contain("m_describe"));
        using var native = new LoadedNative(two);
        Literal[] inputs = [Optimizing.Random(mlp.Entry.ParameterTypes[0], 5)];
        TensorType[] outputs = [mlp.Entry.Results[0].Type];
        LiteralAssert.AreEqual(native.Run(inputs, outputs, signature: "again").Outputs[0], native.Run(inputs, outputs).Outputs[0]);

        static int Kernels(CompiledLibrary l) =>
            ObjectSymbols.Read(l.Object.Span).Count(s => s.Name.Contains("..", StringComparison.Ordinal));
    }

    [Test]
    public void TheSameInputGivesTheSameBytes()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            foreach (bool hasExternalWeights in (bool[])[false, true])
            {
                byte[][] first = Files(hasExternalWeights);
                var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
                culture.NumberFormat.NumberDecimalSeparator = ",";
                culture.NumberFormat.NegativeSign = "~";
                CultureInfo.CurrentCulture = culture;
                byte[][] second = Files(hasExternalWeights);
                CultureInfo.CurrentCulture = before;
                Assert.That(second, Is.EqualTo(first));
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        static byte[][] Files(bool hasExternalWeights)
        {
            using var folder = new TemporaryFolder();
            AotTarget target = AotTarget.Parse(hasExternalWeights ? "x86-64" : "x86-64-v3");
            CompiledLibrary library = LoadedNative.Compile(Import(Digits), target, hasExternalWeights: hasExternalWeights);
            NativeFileKinds kinds = NativeFileKinds.Object | NativeFileKinds.Archive | NativeFileKinds.Header
                | (hasExternalWeights ? 0 : NativeFileKinds.LlvmIr | NativeFileKinds.Assembly)
                | (SharedLibraryLinker.Find() is null ? 0 : NativeFileKinds.Shared);
            return [.. NativeFiles.Write(library, folder.Combine("m"), kinds).Select(File.ReadAllBytes)];
        }
    }

    [Test]
    public void ManifestDescribesEveryFile()
    {
        using var folder = new TemporaryFolder();
        CompiledLibrary library = LoadedNative.Compile(Mlp(), AotTarget.Parse("x86-64"), hasExternalWeights: true);
        IReadOnlyList<string> files = NativeFiles.Write(library, folder.Combine("m"), NativeFileKinds.Object | NativeFileKinds.Header);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder.Combine("m.json")));
        JsonElement root = json.RootElement;
        Assert.That(
            root.GetProperty("files").EnumerateObject().Select(f => f.Name),
            Is.EquivalentTo((string[])["m.o", "m.h", "m.weights"]));
        foreach (JsonProperty file in root.GetProperty("files").EnumerateObject())
        {
            byte[] content = File.ReadAllBytes(folder.Combine(file.Name));
            Assert.That(
                file.Value.GetProperty("sha256").GetString(),
                Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))));
        }
        Assert.That(files.Select(Path.GetFileName), Is.EquivalentTo((string[])["m.o", "m.h", "m.weights", "m.json"]));
        Assert.That(
            root.GetProperty("variants").EnumerateArray().Select(v => v.GetProperty("name").GetString()),
            Is.EqualTo((string[])["baseline", "v3", "v4"]));
        Assert.That(root.GetProperty("stack_bytes").GetInt64(), Is.EqualTo(library.StackBytes).And.InRange(64, 16384));
        JsonElement signature = root.GetProperty("signatures")[0];
        Assert.That(
            signature.GetProperty("inputs")[0].GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()),
            Is.EqualTo((int[])[1, 784]));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(files.Count), "no temporary file is left");
    }

    [Test]
    public void SharedLibraryExportsTheInterfaceAlone()
    {
        CToolchain.NeedLinker();
        CompiledLibrary library = LoadedNative.Compile(Mlp());
        ReadOnlyMemory<byte> shared = SharedLibraryLinker.Link(library);
        Assert.That(
            ObjectSymbols.Read(shared.Span, isDynamic: true).Where(s => s.Name.Length > 0).Select(s => s.Name),
            Is.EquivalentTo(library.Exports));
        Assert.That(SharedLibraryLinker.Link(library).AsSpan().SequenceEqual(shared.Span), "linking is deterministic");
    }

    [Test]
    public void LinkerThatIsMissingIsNamedWithItsPackage()
    {
        CompiledLibrary library = LoadedNative.Compile(CompiledModule.Build(b => [b.Negate(b.Parameter(0, F32(4)))]));
        GraphException? e = Assert.Throws<GraphException>(() => SharedLibraryLinker.Link(library, linker: null, fileName: null));
        Assert.That(e!.Id, Is.EqualTo(AotDiagnostics.Linker));
        Assert.That(e.Message, Does.Contain("apt-get install lld"));
    }

    private static Module Import(string path) => OnnxImporter.Import(path).Module;

    private static Module Mlp() => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, F32(1, 784));
        Node hidden = b.Dot(x, b.Constant(Optimizing.Random(F32(784, 128), 1)));
        hidden = b.Add(hidden, b.Constant(Optimizing.Random(F32(1, 128), 2)));
        hidden = b.Maximum(hidden, b.Constant(Literal.From<float>(new float[128], 1, 128)));
        Node logits = b.Dot(hidden, b.Constant(Optimizing.Random(F32(128, 10), 3)));
        return [b.Softmax(b.Add(logits, b.Constant(Optimizing.Random(F32(1, 10), 4))), 1)];
    });

    // The sums of bytes are scaled, clipped and rounded to bytes between the layers.
    private static Module MlpOfBytes() => CompiledModule.Build(b =>
    {
        Node Weights(long from, long to) => b.Constant(Literal.From<sbyte>(
            [.. Enumerable.Range(0, (int)(from * to)).Select(i => (sbyte)((i * 37 % 255) - 127))], from, to));
        Node Scalar(float value) => b.Constant(Literal.From<float>([.. Enumerable.Repeat(value, 128)], 1, 128));
        Node Layer(Node x, long from, long to) => b.Convert(b.DotGeneral(x, Weights(from, to), [], [], [1], [0], DType.I32), DType.F32);
        Node x = b.Parameter(0, new TensorType(DType.U8, Shape.Of(1, 784)));
        Node hidden = b.Multiply(Layer(x, 784, 128), Scalar(1 / 4096f));
        hidden = b.Minimum(b.Maximum(hidden, Scalar(0)), Scalar(255));
        return [Layer(b.Convert(b.RoundNearestEven(hidden), DType.U8), 128, 10)];
    });

    private static TensorType F32(params long[] shape) => new(DType.F32, Shape.Of(shape));
}
