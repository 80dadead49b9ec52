using System.IO.MemoryMappedFiles;
using Graphene.Runtime.Interop;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime;

/// <summary>A file's bytes as read-only memory: pages are read when touched, and shared between processes.</summary>
/// <remarks>
/// The file must not shrink while it is mapped: a read past its new end ends the process. Files that Graphene writes
/// are
/// replaced as a whole by renaming, never rewritten in place, so a mapping keeps the content that it was made from.
/// </remarks>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly WindowsView? _view;
    private readonly byte* _pointer;
    private int _disposed;

    private MappedFile(SafeFileHandle handle)
    {
        Length = Libc.ReadsFiles ? Libc.LengthOf(handle) : RandomAccess.GetLength(handle);
        if (Length > 0) // an empty mapping is an error to the system, not to us
        {
            // Without the framework's classes for it, whose library takes a millisecond to load.
            _view = OperatingSystem.IsWindows() ? new WindowsView(handle, Length) : null;
            _pointer = _view is null ? (byte*)MemoryPages.MapFile(handle, checked((nint)Length)) : _view.Pointer;
        }
    }

    /// <summary>Removes the mapping of whoever was dropped without being disposed.</summary>
    ~MappedFile() => Remove();

    /// <summary>The file's size in bytes when it was mapped.</summary>
    public long Length { get; }

    /// <summary>The first byte, at the start of a page; null for an empty file. Valid until disposed.</summary>
    public byte* Pointer => _disposed == 0 ? _pointer : null;

    /// <summary>Maps a whole file.</summary>
    /// <param name="path">An existing file.</param>
    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    public static MappedFile Open(string path)
    {
        using SafeFileHandle handle = File.OpenHandle(path, share: FileShare.Read | FileShare.Delete);
        return new MappedFile(handle);
    }

    /// <summary>Maps a whole file that is open for reading; the handle may be closed afterwards.</summary>
    internal static MappedFile Open(SafeFileHandle handle) => new(handle);

    /// <summary>A view of bytes inside the file.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie inside.</exception>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)offset + (uint)length, (ulong)Length);
        return new ReadOnlySpan<byte>(Pointer + offset, length);
    }

    /// <summary>Removes the mapping. Nothing may use the memory afterwards.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Remove();
    }

    private void Remove()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0 || _pointer == null)
        {
            return;
        }
        if (_view is not null)
        {
            _view.Remove();
        }
        else
        {
            MemoryPages.Free((nint)_pointer, (nint)Length);
        }
    }

    private sealed class WindowsView
    {
        private readonly MemoryMappedFile _file;
        private readonly MemoryMappedViewAccessor _accessor;

        public WindowsView(SafeFileHandle file, long length)
        {
            _file = MemoryMappedFile.CreateFromFile(
                file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _accessor = _file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            _accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            Pointer = pointer + _accessor.PointerOffset;
        }

        public byte* Pointer { get; }

        public void Remove()
        {
            _accessor.SafeMemoryMappedViewHandle.ReleasePointer();
            _accessor.Dispose();
            _file.Dispose();
        }
    }
}
