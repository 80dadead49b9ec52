namespace Graphene.Runtime;

/// <summary>A graph that was compiled ahead of time, ready to run: no compiler and no LLVM are needed on the machine.</summary>
/// <remarks>Thread-safe, like the programs it holds. Runs that are in progress when it is disposed finish.</remarks>
public sealed class CompiledGraph : IDisposable
{
    /// <summary>The name of the signature that a model with one signature has.</summary>
    public const string DefaultSignature = "run";

    private readonly GraphProgram _program;

    private CompiledGraph(GraphProgram program) => _program = program;

    /// <summary>The name of the model.</summary>
    public string Name => _program.Name;

    /// <summary>The names of the functions that can be run.</summary>
    public IReadOnlyList<string> Signatures { get; } = [DefaultSignature];

    /// <summary>Loads a bundle that <c>graphene compile</c> wrote.</summary>
    /// <param name="path">The file; everything in it is verified before any of its code can run.</param>
    /// <exception cref="GraphException">GR6102: the file is damaged. GR6103: this processor cannot run the code.</exception>
    public static CompiledGraph Load(string path)
    {
        Executable executable = Executable.Read(path);
        try
        {
            return new CompiledGraph(NativeProgram.Load(executable));
        }
        catch
        {
            executable.Dispose();
            throw;
        }
    }

    /// <summary>One of the functions, to be run; it belongs to this object.</summary>
    /// <param name="signature">Its name, one of <see cref="Signatures"/>.</param>
    /// <exception cref="ArgumentException">There is no such signature.</exception>
    public GraphProgram Program(string signature = DefaultSignature) => signature == DefaultSignature
        ? _program
        : throw new ArgumentException($"'{Name}' has no signature '{signature}', only {string.Join(", ", Signatures)}", nameof(signature));

    /// <inheritdoc/>
    public void Dispose() => _program.Dispose();
}
