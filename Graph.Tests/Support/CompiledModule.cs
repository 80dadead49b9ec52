using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Support;

/// <summary>Runs modules through the whole compiler: optimizer, lowering, LLVM, native code.</summary>
internal static class CompiledModule
{
    /// <summary>Compiles a module and runs it once.</summary>
    public static Literal[] Run(Module module, IReadOnlyList<Literal> arguments, int threads = 0)
    {
        using var session = new Session(module, new Uncached(), new SessionOptions { MaxThreads = threads });
        return session.Run(
            module.OutputNames, module.InputNames.Zip(arguments).ToDictionary(p => p.First, p => (Feed)p.Second));
    }

    /// <summary>Compiles a module for a processor whose features this one has, and runs it once.</summary>
    public static Literal[] Run(Module module, IReadOnlyList<Literal> arguments, LlvmTarget target)
    {
        using var session = new Session(module, new Uncached(target));
        return session.Run(
            module.OutputNames, module.InputNames.Zip(arguments).ToDictionary(p => p.First, p => (Feed)p.Second));
    }

    /// <summary>Compiles a module with choices of the optimizer, for a processor whose features this one has, and runs it once.</summary>
    public static Literal[] Run(
        Module module, IReadOnlyList<Literal> arguments, OptimizerOptions options, int threads = 0, LlvmTarget? target = null)
    {
        using var session = new Session(module, new Uncached(target, options), new SessionOptions { MaxThreads = threads });
        return session.Run(
            module.OutputNames, module.InputNames.Zip(arguments).ToDictionary(p => p.First, p => (Feed)p.Second));
    }

    /// <summary>A module around a computation that a builder writes.</summary>
    public static Module Build(Func<GraphBuilder, Node[]> write)
    {
        var b = new GraphBuilder();
        Computation entry = b.Build("entry", write(b));
        return new Module(
            "test", entry, [.. entry.Parameters.Select((_, i) => $"x{i}")], [.. entry.Results.Select((_, i) => $"y{i}")],
            b.Provenance);
    }

    /// <summary>Compiles without a disk cache.</summary>
    internal sealed class Uncached(LlvmTarget? target = null, OptimizerOptions? options = null) : IGraphCompiler
    {
        private readonly GraphCompilerOptions _options = new() { Optimizer = options };

        public string Device => "cpu";

        public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation) =>
            NativeProgram.Load((target is null ? GraphCompiler.Cpu(_options) : GraphCompiler.For(target, _options))
                .Compile(module, NullLogger.Instance, cancellation));
    }
}
