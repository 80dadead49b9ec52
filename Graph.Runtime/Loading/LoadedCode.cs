using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Machine code in memory, ready to be called. Disposing it frees the memory.</summary>
/// <remarks>
/// Made from relocatable ELF objects by our own loader: neither LLVM nor the system's linker takes part. Pages with
/// code are never writable. Whoever calls a function keeps the object alive: hold a reference to it during the call, or
/// bracket calls that may run while another thread disposes it with <see cref="SafeHandle.DangerousAddRef"/> and
/// <see cref="SafeHandle.DangerousRelease"/>.
/// </remarks>
public sealed class LoadedCode : SafeHandle
{
    private readonly FunctionTable _functions;

    private LoadedCode(nint address, long size, FunctionTable functions)
        : base(0, ownsHandle: true)
    {
        SetHandle(address);
        SizeInBytes = size;
        _functions = functions;
    }

    /// <summary>How much memory code and data take, in whole pages.</summary>
    public long SizeInBytes { get; }

    /// <summary>Names of the functions that can be called.</summary>
    public IReadOnlyCollection<string> FunctionNames => _functions.Names;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Loads one object.</summary>
    /// <param name="objectCode">A relocatable ELF-64 object for the processor of this process.</param>
    /// <exception cref="ObjectLoadException">It cannot be loaded; nothing was allocated.</exception>
    public static LoadedCode Load(ReadOnlyMemory<byte> objectCode) => Load([objectCode]);

    /// <summary>Links objects with each other and with the C library's <c>memcpy</c> and so on.</summary>
    /// <param name="objects">Relocatable ELF-64 objects for the processor of this process, not trusted.</param>
    /// <param name="names">What messages call them; numbers if null.</param>
    /// <param name="requiredFeatures">
    /// Processor features that the code uses, as in <c>+avx2,+fma</c>; pass them for code that may come from elsewhere.
    /// </param>
    /// <exception cref="ObjectLoadException">
    /// An object is damaged or for another processor, the processor lacks a feature, two objects define the same name,
    /// or a name is defined nowhere.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The system has no room.</exception>
    /// <exception cref="InvalidOperationException">The system forbids executable memory.</exception>
    public static LoadedCode Load(
        IReadOnlyList<ReadOnlyMemory<byte>> objects,
        IReadOnlyList<string>? names = null,
        string requiredFeatures = "")
    {
        var code = new ObjectCode[objects.Count];
        for (int i = 0; i < code.Length; i++)
        {
            code[i] = new ObjectCode(names is not null ? names[i] : $"object {i}", objects[i]);
        }

        return LoadObjects(code, requiredFeatures);
    }

    internal static LoadedCode LoadObjects(IReadOnlyList<ObjectCode> objects, string requiredFeatures = "", Action? beforeExecution = null)
    {
        return LoadArray(objects as ObjectCode[] ?? Copy(objects), requiredFeatures, beforeExecution);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // or the library of queries, which it takes, would be loaded for its caller
    private static ObjectCode[] Copy(IReadOnlyList<ObjectCode> objects) => [.. objects];

    private static LoadedCode LoadArray(ObjectCode[] objects, string requiredFeatures, Action? beforeExecution)
    {
        if (objects.Length == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(objects), "there is no object");
        }
        if (requiredFeatures.Length > 0 && HostProcessor.MissingFeatures(requiredFeatures) is { Count: > 0 } missing)
        {
            throw new ObjectLoadException(
                objects[0].Name,
                $"it uses {string.Join(", ", missing)}, which this processor does not have");
        }

        var parsed = new ElfObject[objects.Length];
        for (int i = 0; i < parsed.Length; i++)
        {
            string name = objects[i].Name;
            parsed[i] = ElfObject.Parse(objects[i].Bytes, name);
            if (parsed[i].Machine != ElfMachines.Host)
            {
                throw new ObjectLoadException(
                    name,
                    $"it is for {ElfMachines.Name((ushort)parsed[i].Machine)}, and this process runs on "
                    + RuntimeInformation.ProcessArchitecture);
            }
        }

        var linker = new ObjectLinker(parsed, MemoryPages.Size, OperatingSystem.IsWindows());
        return Load(linker, externalAddress: null, beforeExecution);
    }

    // What beforeExecution throws keeps the code from becoming executable.
    internal static unsafe LoadedCode Load(ObjectLinker linker, Func<string, nint>? externalAddress, Action? beforeExecution = null)
    {
        ImageLayout layout = linker.Layout;
        FunctionTable functions = linker.Functions();
        nint address = MemoryPages.Allocate((nint)layout.TotalSize);
        var code = new LoadedCode(address, layout.TotalSize, functions);
        try
        {
            byte[] image = linker.Link((ulong)address, externalAddress);
            new ReadOnlySpan<byte>(image).CopyTo(new Span<byte>((void*)address, image.Length));

            beforeExecution?.Invoke();

            // Parts begin on pages; the system rounds their sizes up.
            if (layout.CodeSize > 0)
            {
                MemoryPages.MakeExecutable(address, (nint)layout.CodeSize);
            }

            if (layout.ReadOnlySize > 0)
            {
                MemoryPages.MakeReadOnly(address + (nint)layout.ReadOnlyOffset, (nint)layout.ReadOnlySize);
            }

            return code;
        }
        catch
        {
            code.Dispose();
            throw;
        }
    }

    /// <summary>The address of a function.</summary>
    /// <exception cref="KeyNotFoundException">There is no such function.</exception>
    /// <exception cref="ObjectDisposedException">The code was disposed.</exception>
    public nint GetFunction(string name) =>
        TryGetFunction(name, out nint address)
            ? address
            : throw new KeyNotFoundException($"the loaded code has no function '{name}'");

    /// <summary>Looks for a function.</summary>
    /// <returns>Whether there is one with that name.</returns>
    /// <exception cref="ObjectDisposedException">The code was disposed.</exception>
    public bool TryGetFunction(string name, out nint address)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        long offset = _functions[name];
        address = offset >= 0 ? handle + (nint)offset : 0;
        return offset >= 0;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => MemoryPages.Free(handle, (nint)SizeInBytes);
}
