using System.Globalization;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.GpuCheck;

/// <summary>Writes a folder that a machine without compiler can check itself with: code, inputs, and what should come out.</summary>
/// <remarks>
/// <code>
/// FOLDER/numeric/NAME/sm_80.graphene ... values.safetensors   x0, x1 ... are fed; y0, y1 ... should come out
/// FOLDER/numeric/NAME/bounds.tsv                              for each output: relative bound, absolute bound, what it is
/// FOLDER/bench/NAME/sm_90a.graphene ... work.tsv              flops and bytes of a run
/// </code>
/// </remarks>
internal static class Pack
{
    /// <summary>Packs everything.</summary>
    public static int Write(string folder, CheckOptions options)
    {
        GpuCompiler[] compilers = options.IsInterpreted
            ? [GraphCompiler.Gpu(new InterpretedGpu())]
            : [.. options.Targets.Select(t => GraphCompiler.For(TargetOf(t)))];
        int failed = 0;
        foreach ((string name, Func<string, NumericCase> make) in NumericCase.All.Where(c => options.Wants(c.Name)))
        {
            NumericCase c = make(name);
            string place = Directory.CreateDirectory(Path.Combine(folder, "numeric", c.Name)).FullName;
            failed += Compile(c.Name, c.Module, compilers, place, options);
            SafetensorsFile.Write(Path.Combine(place, "values.safetensors"),
            [
                .. c.Inputs.Select((x, i) => new NamedTensor($"x{i}", x)), .. c.Expected.Select((y, i) => new NamedTensor($"y{i}", y)),
            ]);
            File.WriteAllLines(Path.Combine(place, "bounds.tsv"), c.Bounds.Select(b => string.Create(
                CultureInfo.InvariantCulture, $"{b.Relative:R}\t{b.Absolute:R}\t{b.What}")));
        }
        foreach (BenchmarkCase b in BenchmarkCase.All.Where(b => options.Wants(b.Name) && !options.IsInterpreted))
        {
            string place = Directory.CreateDirectory(Path.Combine(folder, "bench", b.Name)).FullName;
            failed += Compile(b.Name, b.Module, compilers, place, options);
            File.WriteAllText(Path.Combine(place, "work.tsv"), string.Create(CultureInfo.InvariantCulture, $"{b.Flops}\t{b.Bytes}\n"));
        }
        Console.WriteLine(failed == 0 ? "packed" : $"{failed} could not be compiled");
        return failed == 0 ? 0 : 1;
    }

    private static int Compile(string name, Module module, GpuCompiler[] compilers, string place, CheckOptions options)
    {
        int failed = 0;
        foreach (GpuCompiler compiler in compilers)
        {
            try
            {
                using Executable executable = compiler.Compile(module, NullLogger.Instance, CancellationToken.None);
                string target = options.IsInterpreted ? CheckOptions.Interpreter : compiler.Target.ToString();
                executable.WriteFile(Path.Combine(place, $"{target}.graphene"));
            }
            catch (Exception e) when (e is CompilerBugException or GraphException)
            {
                Console.Error.WriteLine($"{name} for {compiler.Target}: {e.Message}");
                failed++;
            }
        }
        return failed;
    }

    private static GpuTarget TargetOf(string name)
    {
        bool isExact = name.EndsWith('a');
        return name.StartsWith("sm_", StringComparison.Ordinal) &&
            int.TryParse(name["sm_".Length..].TrimEnd('a'), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? new GpuTarget(number, isExact)
                : throw new ArgumentException($"{name} is no target; sm_80 is one");
    }
}
