using System.Globalization;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Models compiled for other machines give what the session gives on this one.</summary>
/// <remarks>
/// The demo's model always; those of the benchmarks, with their inputs, from the folder that <c>GRAPHENE_MODELS</c> names:
/// <c>GRAPHENE_MODELS=dir dotnet test --filter TargetModelTests</c>. Emulated vectors are slow: large models take minutes.
/// </remarks>
internal sealed class TargetModelTests
{
    private const double Tolerance = 1e-3;

    private static readonly string[] Machines =
        ["x86-64-baseline", "x86-64-v3", "x86-64-v4", "aarch64", "riscv64", "riscv64-v", "armv7", "armv7-neon"];

    private static readonly string? Folder = Environment.GetEnvironmentVariable("GRAPHENE_MODELS");

    private static IEnumerable<TestCaseData> Benchmarks =>
        from model in Folder is null ? [] : (string[])[.. Directory.GetFiles(Folder, "*.onnx").Order(StringComparer.Ordinal)]
        from machine in Machines
        select new TestCaseData(Path.GetFileNameWithoutExtension(model), machine);

    [TestCaseSource(nameof(Machines))]
    public void TheDemosModelGivesTheSessionsAnswers(string machine)
    {
        Literal images = NpyFile.Read(RepositoryRoot.Combine("tools", "cli", "demo", "digits-images.npy"));
        var batch = new Literal(new TensorType(DType.U8, Shape.Of(64, 28, 28, 1)), images.Bytes);
        Compare(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx"), machine, _ => [batch]);
    }

    [TestCaseSource(nameof(Benchmarks))]
    public void BenchmarksGiveTheSessionsAnswers(string model, string machine) => Compare(
        Path.Combine(Folder!, model + ".onnx"), machine,
        module => [.. module.InputNames.Select(name => NpyFile.Read(Path.Combine(Folder!, model + ".inputs", name + ".npy")))]);

    private static void Compare(string path, string machine, Func<Module, Literal[]> read)
    {
        LlvmTarget target = AotTarget.Parse(machine).Variants[0].Machine;
        _ = ForeignMachine.Require(target); // skips before the work
        Module module = OnnxImporter.Import(path).Module;
        Literal[] inputs = read(module);
        Literal[] expected = CompiledModule.Run(module, inputs);
        Literal[] actual;
        TimeSpan elapsed;
        using (Executable executable = GraphCompiler.For(target).Compile(module, NullLogger.Instance, default))
        using (var program = new ForeignProgram(executable, target))
        {
            actual = program.Run(inputs, repeats: ForeignMachine.Require(target).Emulator.Length == 0 ? 3 : 1);
            elapsed = program.Elapsed;
        }
        double worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, Difference(expected[i], actual[i]));
        }
        TestContext.Progress.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Path.GetFileNameWithoutExtension(path)} on {machine}: "
                + $"largest difference {worst:G3} of the largest magnitude, {elapsed.TotalMilliseconds:F1} ms"));
        Assert.That(worst, Is.LessThan(Tolerance));
    }

    // The largest difference over the largest magnitude.
    private static double Difference(Literal expected, Literal actual)
    {
        double largest = 1e-30;
        double difference = 0;
        for (long i = 0; i < expected.ElementCount; i++)
        {
            double e = expected[i].AsDouble;
            double a = actual[i].AsDouble;
            largest = Math.Max(largest, Math.Abs(e));
            difference = Math.Max(difference, e.Equals(a) ? 0 : double.IsNaN(e - a) ? double.PositiveInfinity : Math.Abs(e - a));
        }
        return difference / largest;
    }
}
