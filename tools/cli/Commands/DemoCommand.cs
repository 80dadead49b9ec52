using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Graphene.Cli.Execution;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Codegen.Llvm;
using Graphene.Interop.Numpy;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene demo</c>: a real trained model through the whole compiler, with what each step did and took.</summary>
internal static class DemoCommand
{
    private const int Repetitions = 200;
    private const int Checked = 2;

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("demo", "Import, compile and run a trained model that reads handwritten digits, and show each step.");
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        using ILoggerFactory loggers = CommonOptions.Loggers(parsed);
        ILogger logger = loggers.CreateLogger("graphene");
        string folder = Path.Combine(AppContext.BaseDirectory, "demo");

        long start = Stopwatch.GetTimestamp();
        LoadedModel model = ModelLoader.Load(Path.Combine(folder, "digits.onnx"));
        Step(
            io, "import", Stopwatch.GetElapsedTime(start),
            $"digits.onnx, {Nodes(model.Module)} nodes, {model.InputTypes[0]} -> {model.Module.Entry.Results[0].Type}");

        start = Stopwatch.GetTimestamp();
        Module optimized = GraphOptimizer.Run(model.Module);
        Step(io, "optimize", Stopwatch.GetElapsedTime(start), $"{Nodes(optimized)} nodes left, {Fusions(optimized)} of them fusions");

        LlvmLibraryInfo llvm = LlvmLibrary.Load();
        using var runner = new ModelRunner(model, Devices.Compiler(Devices.Cpu, logger, useCache: false), 0, logger);
        Step(io, "compile", runner.CompileTime, $"{runner.Kernels} kernels through LLVM {llvm.Version}, for any batch size");

        Literal pixels = NpyFile.Read(Path.Combine(folder, "digits-images.npy"));
        Literal labels = NpyFile.Read(Path.Combine(folder, "digits-labels.npy"));
        Literal images = pixels.Reshape([.. pixels.Shape, 1]);
        start = Stopwatch.GetTimestamp();
        Literal logits = runner.Run([images])[0];
        int[] answers = Classes(logits);
        int right = answers.Where((answer, i) => answer == labels.As<byte>()[i]).Count();
        Step(io, "run", Stopwatch.GetElapsedTime(start), $"{right} of {answers.Length} held-out digits read correctly");

        start = Stopwatch.GetTimestamp();
        using var reference = new ModelRunner(model, Devices.Compiler(Devices.Reference, logger), 1, logger);
        Literal few = Batch(images, Checked); // it computes element by element, and is in no hurry
        string? difference = new Tolerance(1e-4, 0, 1e-5).Difference(runner.Run([few])[0], reference.Run([few])[0]);
        Step(io, "check", Stopwatch.GetElapsedTime(start), difference is null
            ? "the reference evaluator gives the same logits within 1e-4"
            : $"the reference evaluator disagrees: {difference}");

        double one = MicrosecondsPerRun(runner, Batch(images, 1));
        double all = MicrosecondsPerRun(runner, images);
        io.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\none digit takes {one:F0} us; {answers.Length} at a time take {all / answers.Length:F1} us each\n"));
        Draw(io.Output, pixels, answers, labels);
        return difference is null ? ExitCode.Success : ExitCode.Negative;
    }

    private static void Step(CommandIO io, string name, TimeSpan elapsed, string what) =>
        io.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-9}{elapsed.TotalMilliseconds,8:F1} ms  {what}"));

    private static int Nodes(Module module) => module.Entry.PostOrder().Count(n => n.Op is not (ParameterOp or ConstantOp));

    private static int Fusions(Module module) => module.Entry.PostOrder().Count(n => n.Op is FusionOp);

    private static Literal Batch(Literal images, int count)
    {
        long[] shape = images.Shape.ToStatic();
        int size = (int)(images.ElementCount / shape[0]);
        shape[0] = count;
        return Literal.From(images.As<byte>()[..(count * size)], shape);
    }

    private static int[] Classes(Literal logits)
    {
        ReadOnlySpan<float> values = logits.As<float>();
        int classes = (int)logits.Shape[1].Value;
        int[] result = new int[values.Length / classes];
        for (int i = 0; i < result.Length; i++)
        {
            ReadOnlySpan<float> row = values.Slice(i * classes, classes);
            for (int c = 1; c < classes; c++)
            {
                result[i] = row[c] > row[result[i]] ? c : result[i];
            }
        }
        return result;
    }

    private static double MicrosecondsPerRun(ModelRunner runner, Literal images)
    {
        using BoundCall call = runner.Bind([images]);
        double best = double.PositiveInfinity;
        for (int i = 0; i < Repetitions; i++)
        {
            long start = Stopwatch.GetTimestamp();
            call.Run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
        return best;
    }

    // Three digits side by side, two rows of pixels in one line of text.
    private static void Draw(TextWriter output, Literal pixels, int[] answers, Literal labels)
    {
        const int Shown = 3;
        const string Shades = " .:+#@";
        ReadOnlySpan<byte> bytes = pixels.As<byte>();
        int height = (int)pixels.Shape[1].Value;
        int width = (int)pixels.Shape[2].Value;
        for (int y = 2; y + 1 < height - 2; y += 2)
        {
            for (int image = 0; image < Shown; image++)
            {
                for (int x = 2; x < width - 2; x++)
                {
                    int at = (((image * height) + y) * width) + x;
                    int grey = Math.Max(bytes[at], bytes[at + width]);
                    output.Write(Shades[grey * (Shades.Length - 1) / 255]);
                }
            }
            output.WriteLine();
        }
        for (int image = 0; image < Shown; image++)
        {
            output.Write($"read as {answers[image]}, is {labels.As<byte>()[image]}".PadRight(width - 4));
        }
        output.WriteLine();
    }
}
