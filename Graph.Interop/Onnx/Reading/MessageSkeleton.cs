using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>
/// Copies a model file without the bytes of its large tensors, and refuses on the way what is cut off, nests too deeply or
/// consists of too many messages. Protobuf then parses the copy; the tensors are read from the file when they are needed.
/// </summary>
/// <remarks>
/// A field is a varint key (number and wire type), then a varint, 4 or 8 bytes, or a length and that many bytes. Messages are
/// entered with an explicit stack. In the copy a large raw_data field is replaced by its place in the file; since messages shrink by
/// that, their lengths are written as five-byte varints, which are filled in at a message's end.
/// <code>
///   file   7:[ 1:[ NodeProto ] 5:[ 1:dims 9:raw_data (400 MB) ] ]
///   copy   7:[ 1:[ NodeProto ] 5:[ 1:dims 1000:offset 1001:length ] ]
/// </code>
/// </remarks>
internal sealed class MessageSkeleton
{
    private const int WindowSize = 64 * 1024;
    private const int LengthBytes = 5;

    // Smaller tensors are not worth a read of their own.
    private const ulong LeastLargeTensor = 1024;

    // Texts and fields that we do not know are left out when they are larger than any we care for.
    private const ulong LargestOtherField = 1 << 20;

    private readonly ByteSource _source;
    private readonly OnnxLoadOptions _options;
    private readonly string _fileName;
    private readonly byte[] _window = new byte[WindowSize];
    private readonly Stack<(MessageKind Kind, long End, int CopyStart)> _open = new();
    private byte[] _copy = new byte[WindowSize];
    private int _copyLength;
    private long _windowStart;
    private int _windowLength;
    private long _position;
    private int _messages;

    private MessageSkeleton(ByteSource source, OnnxLoadOptions options, string fileName, MessageKind root)
    {
        _source = source;
        _options = options;
        _fileName = fileName;
        _open.Push((root, source.Length, 0));
    }

    /// <summary>The copy of a whole model file.</summary>
    /// <exception cref="GraphException">The file is damaged, or larger in some way than the options allow.</exception>
    public static ReadOnlyMemory<byte> OfModel(ByteSource source, OnnxLoadOptions options, string fileName) =>
        new MessageSkeleton(source, options, fileName, MessageKind.Model).Run();

    /// <summary>The copy of a file that holds one tensor.</summary>
    /// <exception cref="GraphException">The file is damaged, or larger in some way than the options allow.</exception>
    public static ReadOnlyMemory<byte> OfTensor(ByteSource source, OnnxLoadOptions options, string fileName) =>
        new MessageSkeleton(source, options, fileName, MessageKind.Tensor).Run();

    private ReadOnlyMemory<byte> Run()
    {
        while (_open.TryPeek(out (MessageKind Kind, long End, int CopyStart) top))
        {
            if (_position < top.End)
            {
                CopyField(top.Kind, top.End);
                continue;
            }
            _open.Pop();
            if (_open.Count > 0)
            {
                FillLength(top.CopyStart);
            }
        }
        return _copy.AsMemory(0, _copyLength);
    }

    private void CopyField(MessageKind kind, long end)
    {
        long start = _position;
        ulong key = ReadVarint(end);
        ulong field = key >> 3;
        // The numbers by which the copy refers to the file must not come from the file.
        bool isOurs = kind == MessageKind.Tensor && field >= TensorProto.LargeDataOffsetFieldNumber;
        switch (key & 7)
        {
            case 0:
                ulong value = ReadVarint(end);
                if (!isOurs)
                {
                    WriteVarint(key);
                    WriteVarint(value);
                }
                break;
            case 1:
                WriteVarint(key);
                CopyBytes(8, end);
                break;
            case 2:
                CopyDelimited(kind, key, start, end);
                break;
            case 5:
                WriteVarint(key);
                CopyBytes(4, end);
                break;
            default:
                throw Damaged($"byte {start} starts a field of a kind that ONNX files do not use");
        }
        if (field == 0)
        {
            throw Damaged($"byte {start} starts a field with number 0");
        }
    }

    private void CopyDelimited(MessageKind kind, ulong key, long start, long end)
    {
        ulong field = key >> 3;
        ulong length = ReadVarint(end);
        if (length > (ulong)(end - _position))
        {
            throw Damaged($"field {field} at byte {start} is {length} bytes long, but only {end - _position} are left");
        }
        MessageKind child = MessageKinds.ChildOf(kind, field);
        if (child != MessageKind.None)
        {
            WriteVarint(key);
            Enter(child, (long)length);
        }
        else if (kind == MessageKind.Tensor && field == TensorProto.RawDataFieldNumber && length >= LeastLargeTensor)
        {
            WriteVarint(TensorProto.LargeDataOffsetFieldNumber << 3);
            WriteVarint((ulong)_position);
            WriteVarint(TensorProto.LargeDataLengthFieldNumber << 3);
            WriteVarint(length);
            _position += (long)length;
        }
        else if (kind is MessageKind.Tensor or MessageKind.Attribute || length <= LargestOtherField)
        {
            WriteVarint(key);
            WriteVarint(length);
            CopyBytes((long)length, end);
        }
        else
        {
            _position += (long)length;
        }
    }

    private void Enter(MessageKind child, long length)
    {
        if (++_messages > _options.MaxMessages)
        {
            throw OnnxErrors.TooLarge(_fileName, $"it holds more than {_options.MaxMessages} messages");
        }
        if (_open.Count >= _options.MaxNesting)
        {
            throw OnnxErrors.TooLarge(_fileName, $"its messages nest more than {_options.MaxNesting} deep");
        }
        Reserve(LengthBytes);
        _copyLength += LengthBytes;
        _open.Push((child, _position + length, _copyLength));
    }

    private void FillLength(int copyStart)
    {
        uint length = (uint)(_copyLength - copyStart);
        Span<byte> place = _copy.AsSpan(copyStart - LengthBytes, LengthBytes);
        for (int i = 0; i < LengthBytes; i++)
        {
            place[i] = (byte)((length & 0x7f) | (i < LengthBytes - 1 ? 0x80u : 0));
            length >>= 7;
        }
    }

    private void CopyBytes(long count, long end)
    {
        if (end - _position < count)
        {
            throw Damaged($"it ends inside a number at byte {_position}");
        }
        while (count > 0)
        {
            ByteAt(_position);
            int available = (int)Math.Min(count, _windowStart + _windowLength - _position);
            Reserve(available);
            _window.AsSpan((int)(_position - _windowStart), available).CopyTo(_copy.AsSpan(_copyLength));
            _copyLength += available;
            _position += available;
            count -= available;
        }
    }

    private void WriteVarint(ulong value)
    {
        Reserve(10);
        while (value >= 0x80)
        {
            _copy[_copyLength++] = (byte)(value | 0x80);
            value >>= 7;
        }
        _copy[_copyLength++] = (byte)value;
    }

    private void Reserve(int count)
    {
        if (_copy.Length - _copyLength >= count)
        {
            return;
        }
        if (_copyLength > Array.MaxLength - count)
        {
            throw OnnxErrors.TooLarge(_fileName, "it holds 2 GiB besides its large tensors");
        }
        Array.Resize(ref _copy, (int)Math.Min(Array.MaxLength, 2L * Math.Max(_copy.Length, count)));
    }

    private ulong ReadVarint(long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (_position >= end)
            {
                throw Damaged($"it ends inside a number at byte {_position}");
            }

            byte next = ByteAt(_position++);
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Damaged($"the number before byte {_position} is longer than 64 bits");
    }

    private byte ByteAt(long position)
    {
        if (position < _windowStart || position >= _windowStart + _windowLength)
        {
            _windowStart = position;
            _windowLength = _source.Read(position, _window);
            if (_windowLength == 0)
            {
                throw Damaged($"it became shorter while it was read (byte {position})");
            }
        }

        return _window[position - _windowStart];
    }

    private GraphException Damaged(string what) =>
        OnnxErrors.Damaged(_fileName, $"{what} (inside {string.Join(" > ", _open.Reverse().Take(6).Select(f => f.Kind))})");
}
