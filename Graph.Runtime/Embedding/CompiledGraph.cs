namespace Graphene.Runtime;

/// <summary>A graph that was compiled ahead of time, ready to run: no compiler and no LLVM are needed on the machine.</summary>
/// <remarks>
/// Thread-safe, like the programs it holds. Runs that are in progress when it is disposed finish. A bundle holds one or more functions
/// (signatures), each as code for one or more processors (variants); weights that functions share are in memory once.
/// </remarks>
public sealed class CompiledGraph : IDisposable
{
    /// <summary>The name of the signature that a model with one signature has.</summary>
    public const string DefaultSignature = "run";

    private readonly LoadedBundle _bundle;
    private readonly string[] _signatures;
    private int _disposed;

    private CompiledGraph(LoadedBundle bundle)
    {
        _bundle = bundle;
        FileIndex index = bundle.File.Index;
        _signatures = new string[index.Signatures.Length];
        for (int i = 0; i < _signatures.Length; i++)
        {
            _signatures[i] = index.Signatures[i].Name;
        }
    }

    /// <summary>The name of the model.</summary>
    public string Name => Index.Name;

    /// <summary>The names of the functions that can be run.</summary>
    public IReadOnlyList<string> Signatures => _signatures;

    /// <summary>The name of the variant that was chosen for this processor or GPU, for example <c>x86-64-v3</c>.</summary>
    public string Variant => Index.Variants[_bundle.Variant].Name;

    /// <summary>The build of the compiler that made it.</summary>
    public string CompilerVersion => Index.CompilerVersion;

    /// <summary>The SHA-256 of the signer's public key, if the bundle is signed; proven only if trusted keys were asked for.</summary>
    public string? SignedBy => _bundle.Seal?.KeyFingerprint;

    /// <summary>
    /// Says in another load that this file was verified: see <see cref="CompiledGraphOptions.VerifiedStamp"/>. Null when the system
    /// cannot tell whether the file changes, and when <see cref="CompiledGraphOptions.TakesStamp"/> did not ask for it.
    /// </summary>
    public string? FileStamp => _bundle.Stamp;

    private FileIndex Index => _bundle.File.Index;

    /// <summary>Loads a bundle that <c>graphene compile</c> wrote; constants stay in the file and are mapped.</summary>
    /// <param name="path">The file; everything in it is verified before any of its code can run.</param>
    /// <param name="options">What to insist on.</param>
    /// <exception cref="GraphException">
    /// GR6102: the file is damaged. GR6103: this processor cannot run the code. GR6504: the GPU cannot. GR6110, GR6111: it is not signed
    /// by whom it should be.
    /// </exception>
    public static CompiledGraph Load(string path, CompiledGraphOptions? options = null)
    {
        FileSource source;
        try
        {
            source = FileSource.Open(path);
        }
        catch (Exception e) when (ExecutableReader.IsBadFile(e))
        {
            throw ExecutableReader.Error(e, path);
        }
        return Load(source, path, options);
    }

    /// <summary>Loads a bundle from a stream, which is read to its end and not closed.</summary>
    /// <inheritdoc cref="Load(string, CompiledGraphOptions?)"/>
    /// <param name="stream">The bundle, from where the stream stands.</param>
    /// <param name="options">What to insist on.</param>
    public static CompiledGraph Load(Stream stream, CompiledGraphOptions? options = null) =>
        Load(FileSource.Copy(stream), null, options);

    /// <summary>Loads a bundle from memory, which is copied once.</summary>
    /// <inheritdoc cref="Load(string, CompiledGraphOptions?)"/>
    /// <param name="bytes">The bundle.</param>
    /// <param name="options">What to insist on.</param>
    public static CompiledGraph Load(ReadOnlySpan<byte> bytes, CompiledGraphOptions? options = null) =>
        Load(FileSource.Copy(bytes), null, options);

    /// <summary>One of the functions, to be run; it belongs to this object.</summary>
    /// <param name="signature">Its name, one of <see cref="Signatures"/>.</param>
    /// <exception cref="GraphException">
    /// GR6113: there is no such signature. GR6114: it has state, so it is <see cref="GraphState.Program"/> that has it.
    /// </exception>
    public GraphProgram Program(string signature = DefaultSignature)
    {
        int number = Find(signature);
        return Index.Signatures[number].States.Length == 0
            ? _bundle.Programs[number]
            : throw new GraphException(
                BundleDiagnostics.NeedsState, $"function '{signature}' of '{Name}' has state", null,
                "what a run leaves for the next one must belong to somebody, or conversations would mix",
                $"make one with CreateState(), and ask that for Program(\"{signature}\")");
    }

    /// <summary>Makes memory for what functions leave for each other, with its first values. To be disposed.</summary>
    /// <remarks>
    /// Each state is apart from all others: one for each conversation, training or stream. Functions without
    /// state have it too.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The graph was disposed.</exception>
    public GraphState CreateState()
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return new GraphState(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            foreach (GraphProgram program in _bundle.Programs)
            {
                program.Dispose();
            }
            _bundle.Constants.Dispose();
        }
    }

    internal LoadedBundle Bundle => _bundle;

    internal int Find(string signature)
    {
        for (int i = 0; i < _signatures.Length; i++)
        {
            if (_signatures[i] == signature)
            {
                return i;
            }
        }
        throw new GraphException(
            BundleDiagnostics.UnknownSignature, $"'{Name}' has no signature '{signature}'",
            fix: $"choose from: {string.Join(", ", _signatures)}");
    }

    private static CompiledGraph Load(FileSource source, string? where, CompiledGraphOptions? options)
    {
        using (source)
        {
            return new CompiledGraph(BundleReader.Read(source, where, options ?? CompiledGraphOptions.Default));
        }
    }
}
