using System.Security.Cryptography;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Compilation;

/// <summary>Compiles models into one bundle.</summary>
internal static class BundleCompilation
{
    /// <summary>Compiles and writes.</summary>
    /// <param name="request">What goes in.</param>
    /// <param name="path">The file.</param>
    /// <param name="logger">Told what takes how long.</param>
    /// <returns>A line about the file.</returns>
    /// <exception cref="UsageException">A state does not fit the models.</exception>
    public static string Write(BundleRequest request, string path, ILogger logger)
    {
        (string Name, IExecutableCompiler Compiler)[] compilers = [.. Compilers(request)];
        var made = new List<Executable>();
        try
        {
            var functions = new List<BundleFunction>();
            foreach (FunctionRequest function in request.Functions)
            {
                var code = new List<BundleCode>();
                foreach (var (variant, compiler) in compilers)
                {
                    made.Add(compiler.Compile(function.Model.Module, logger, CancellationToken.None));
                    code.Add(new BundleCode(variant, made[^1]));
                }
                functions.Add(new BundleFunction(function.Name, code)
                {
                    Source = $"sha256:{HashOf(function.Path)}",
                    States = [.. StatesOf(function, request.States)],
                });
            }
            RequireUse(request);
            string name = Path.GetFileNameWithoutExtension(request.Functions.Count == 1 ? request.Functions[0].Path : path);
            var content = new BundleContent { Name = name, Functions = functions };
            content.WriteFile(path, request.Key);
            return Line(path, functions, made);
        }
        finally
        {
            made.ForEach(e => e.Dispose());
        }
    }

    // The best variant first: whoever loads the bundle takes the first that runs. Code for processors and for GPUs is never chosen between.
    private static IEnumerable<(string Name, IExecutableCompiler Compiler)> Compilers(BundleRequest request)
    {
        var options = new GraphCompilerOptions { Optimizer = request.Optimizer };
        if (request.Targets.Count == 0)
        {
            return [("host", GraphCompiler.Cpu(options))];
        }
        IEnumerable<(string Name, IExecutableCompiler Compiler)> processors = request.Targets.Where(t => t.Gpu is null).SelectMany(
            t => t.Compilers(options).Zip(t.Variants).Reverse().Select(
                c => (t.Variants.Length == 1 ? t.Name : $"{t.Name}-{c.Second.Name}", (IExecutableCompiler)c.First)));
        IEnumerable<GpuTarget> gpus = request.Targets.Select(t => t.Gpu).OfType<GpuTarget>()
            .OrderByDescending(g => g.Architecture).ThenByDescending(g => g.HasArchitectureFeatures);
        return processors.Concat(gpus.Select(
            g => (g.ToString(), (IExecutableCompiler)GraphCompiler.For(g with { Tuning = request.Tuning }))));
    }

    private static IEnumerable<BundleStateUse> StatesOf(FunctionRequest function, IReadOnlyList<(string Input, string Output)> states)
    {
        Module module = function.Model.Module;
        foreach (var (input, output) in states)
        {
            int reads = module.InputNames.IndexOf(input);
            int assigns = module.OutputNames.IndexOf(output);
            if (reads < 0 && assigns < 0)
            {
                continue;
            }
            TensorType type = reads >= 0 ? module.Entry.Parameters[reads].Type : module.Entry.Results[assigns].Type;
            if (!type.Shape.IsStatic)
            {
                throw new UsageException($"--state {input}={output}: {type} has symbolic sizes in {function.Path}; fix them with --dim");
            }
            if (reads >= 0 && assigns >= 0 && !module.Entry.Results[assigns].Type.Equals(type))
            {
                throw new UsageException(
                    $"--state {input}={output}: in {function.Path} the input is {type} "
                        + $"and the output {module.Entry.Results[assigns].Type}");
            }
            yield return new BundleStateUse(input, new Literal(type, new byte[type.SizeInBytes.Value]), reads, assigns);
        }
    }

    private static void RequireUse(BundleRequest request)
    {
        foreach (var (input, output) in request.States)
        {
            if (!request.Functions.Any(f => f.Model.InputNames.Contains(input)))
            {
                throw new UsageException($"--state {input}={output}: no function has an input '{input}'");
            }
            if (!request.Functions.Any(f => f.Model.OutputNames.Contains(output)))
            {
                throw new UsageException($"--state {input}={output}: no function has an output '{output}'");
            }
        }
    }

    private static string HashOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string Line(string path, List<BundleFunction> functions, List<Executable> made)
    {
        string variants = string.Join(", ", functions[0].Variants.Select(v => v.Variant));
        string what = functions.Count == 1 ? "" : $"functions {string.Join(", ", functions.Select(f => f.Name))}; ";
        return $"{path}: {what}{made.Sum(e => e.Plan.Kernels.Length)} kernels, " +
            $"{made.Sum(e => e.Objects.Sum(o => (long)o.Bytes.Length))} bytes of code, " +
            $"for {string.Join(", ", made.Select(e => e.Plan.TargetTriple).Distinct())} ({variants}), {new FileInfo(path).Length} bytes";
    }
}
