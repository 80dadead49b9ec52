using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>Turns a graph into something that runs. A session is given one; it finds none by itself.</summary>
public interface IGraphCompiler
{
    /// <summary>The device that compiled graphs run on, for example <c>cpu</c> or <c>reference</c>.</summary>
    string Device { get; }

    /// <summary>Compiles a graph.</summary>
    /// <param name="module">A verified module: exactly what is to run, with nothing left to prune.</param>
    /// <param name="logger">Receives what took how long, and what was found in caches.</param>
    /// <param name="cancellation">Gives up soon when raised.</param>
    /// <returns>A program that belongs to the caller.</returns>
    /// <exception cref="GraphException">The graph cannot be compiled.</exception>
    GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation);

    /// <summary>Finds what was compiled from a source before, without loading it; null where nothing is kept.</summary>
    /// <param name="source">The graph.</param>
    /// <param name="logger">Receives what was found, or why not.</param>
    /// <returns>A program that belongs to the caller, or null.</returns>
    GraphProgram? TryFind(IGraphSource source, ILogger logger) => null;

    /// <summary>Compiles a graph from its source, which is loaded only when <see cref="TryFind"/> finds nothing.</summary>
    /// <inheritdoc cref="Compile(Module, ILogger, CancellationToken)"/>
    /// <param name="source">The graph.</param>
    /// <param name="logger">Receives what took how long, and what was found in caches.</param>
    /// <param name="cancellation">Gives up soon when raised.</param>
    GraphProgram Compile(IGraphSource source, ILogger logger, CancellationToken cancellation) =>
        Compile(source.Load(), logger, cancellation);
}

/// <summary>A compiler whose result is machine code that can be kept.</summary>
public interface IExecutableCompiler
{
    /// <summary>
    /// Everything besides the graph that the code depends on: the build of the compiler, its options, target and
    /// features. Equal
    /// fingerprints and equal graphs give interchangeable code.
    /// </summary>
    string Fingerprint { get; }

    /// <summary>Compiles a graph.</summary>
    /// <param name="module">A verified module.</param>
    /// <param name="logger">Receives what took how long.</param>
    /// <param name="cancellation">Gives up soon when raised.</param>
    /// <returns>An executable that belongs to the caller.</returns>
    /// <exception cref="GraphException">The graph cannot be compiled.</exception>
    Executable Compile(Module module, ILogger logger, CancellationToken cancellation);

    /// <summary>Makes an executable of this compiler ready to run.</summary>
    /// <param name="executable">Belongs to the program from here on, unless this fails.</param>
    /// <returns>A program that belongs to the caller.</returns>
    /// <exception cref="GraphException">It cannot run here.</exception>
    /// <exception cref="ObjectLoadException">Its code is damaged.</exception>
    GraphProgram Load(Executable executable) => NativeProgram.Load(executable);
}
