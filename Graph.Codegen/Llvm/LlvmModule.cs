using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Llvm;

/// <summary>One module on its way through LLVM, in a context of its own: parse, optimize, emit, dispose.</summary>
internal sealed unsafe class LlvmModule : IDisposable
{
    private readonly List<string> _errors = [];
    private readonly List<string> _warnings = [];
    private LLVMContextRef _context;
    private LLVMTargetMachineRef _machine;
    private LLVMModuleRef _module;
    private GCHandle _self;

    private LlvmModule()
    {
    }

    /// <summary>Parses and verifies a module and gives it the target's triple and data layout.</summary>
    public static LlvmModule Parse(string irText, LlvmTarget target, LlvmCompilerOptions options)
    {
        var result = new LlvmModule();
        try
        {
            result.CreateMachine(target, options.CodeGenLevel);
            result.CreateContext();
            result._module = result.ParseText(irText, target.Triple);
            result.Verify();
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Joins another module to this one: what one of them declares and the other defines is one thing then.</summary>
    public void Link(string irText, LlvmTarget target)
    {
        LLVMModuleRef other = ParseText(irText, target.Triple);
        Require(LLVM.LinkModules2(_module, other) == 0, "link", "");
    }

    /// <summary>Gives a global, which the module declares as an array of bytes, its content.</summary>
    public void Define(string global, ReadOnlySpan<byte> bytes)
    {
        using var name = new MarshaledString(global);
        LLVMOpaqueValue* value = LLVM.GetNamedGlobal(_module, name);
        Require(value != null, "define", $"there is no global '{global}'");
        fixed (byte* data = bytes)
        {
            LLVM.SetInitializer(value, LLVM.ConstStringInContext(_context, (sbyte*)data, (uint)bytes.Length, 1));
        }
    }

    /// <summary>Has code generation report the size of each function's stack frame; see <see cref="Warnings"/>.</summary>
    public void ReportStackFrames()
    {
        using var key = new MarshaledString("warn-stack-size");
        using var value = new MarshaledString("0");
        LLVMOpaqueAttributeRef* attribute = LLVM.CreateStringAttribute(_context, key, (uint)key.Length, value, (uint)value.Length);
        for (LLVMOpaqueValue* f = LLVM.GetFirstFunction(_module); f != null; f = LLVM.GetNextFunction(f))
        {
            if (LLVM.IsDeclaration(f) == 0)
            {
                LLVM.AddAttributeAtIndex(f, uint.MaxValue, attribute);
            }
        }
    }

    /// <summary>What LLVM warned of so far.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Runs a pass pipeline.</summary>
    public void RunPasses(LlvmCompilerOptions options)
    {
        if (options.Passes.Length == 0)
        {
            return;
        }

        using LLVMPassBuilderOptionsRef settings = LLVMPassBuilderOptionsRef.Create();
        settings.SetVerifyEach(options.VerifyEach);

        // Kernels come with the vectors that the schedule chose; LLVM must not second-guess it.
        settings.SetLoopVectorization(false);
        settings.SetSLPVectorization(false);
        bool done = _module.TryRunPasses(options.Passes, _machine, settings, out string message);
        Require(done, "passes", message);
    }

    /// <summary>The module as IR text.</summary>
    public string Print() => _module.PrintToString();

    /// <summary>Generates code.</summary>
    public byte[] Emit(LLVMCodeGenFileType fileType)
    {
        bool done = _machine.TryEmitToMemoryBuffer(
            _module, fileType, out LLVMMemoryBufferRef buffer, out string message);
        using (buffer)
        {
            Require(done, "emit", message);
            return new ReadOnlySpan<byte>((void*)buffer.BufferStart, checked((int)buffer.BufferSize)).ToArray();
        }
    }

    public void Dispose()
    {
        _module.Dispose();
        _machine.Dispose();
        _context.Dispose();
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    private void CreateMachine(LlvmTarget target, int codeGenLevel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(codeGenLevel);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(codeGenLevel, 3);
        LlvmArchitecture architecture = target.Architecture;
        LlvmLibrary.Ensure();
        LlvmTargetTable.Initialize(architecture);
        bool found = LLVMTargetRef.TryGetTargetFromTriple(
            target.Triple, out LLVMTargetRef description, out string message);
        if (!found)
        {
            throw UnusableTarget(target, message);
        }

        _machine = description.CreateTargetMachine(
            target.Triple,
            target.Cpu,
            target.Features,
            (LLVMCodeGenOptLevel)codeGenLevel,
            LlvmTargetTable.RelocationModel(target),
            LlvmTargetTable.CodeModel(architecture));
        if (_machine.Handle == 0)
        {
            throw UnusableTarget(target, "LLVM makes no target machine for it");
        }
    }

    private static GraphException UnusableTarget(LlvmTarget target, string why) => new(
        CodegenDiagnostics.UnsupportedTarget,
        "target: LLVM does not accept it",
        where: target.ToString(),
        why: why,
        fix: $"pass a complete triple, such as {LlvmTarget.X64.Triple}");

    private void CreateContext()
    {
        _context = LLVMContextRef.Create();

        // Without a handler of ours, LLVM ends the process when it reports an error.
        _self = GCHandle.Alloc(this);
        LLVM.ContextSetDiagnosticHandler(_context, &OnDiagnostic, (void*)GCHandle.ToIntPtr(_self));
    }

    private LLVMModuleRef ParseText(string irText, string triple)
    {
        var buffer = LLVMMemoryBufferRef.CreateWithMemoryRangeCopy(Encoding.UTF8.GetBytes(irText), "module");
        bool parsed = _context.TryParseIR(buffer, out LLVMModuleRef module, out string message);
        Require(parsed, "parse", message);
        module.Target = triple;
        using LLVMTargetDataRef layout = _machine.CreateTargetDataLayout();
        LLVM.SetModuleDataLayout(module, layout);
        return module;
    }

    private void Verify()
    {
        bool valid = _module.TryVerify(LLVMVerifierFailureAction.LLVMReturnStatusAction, out string message);
        Require(valid, "verify", message);
    }

    private void Require(bool done, string stage, string message)
    {
        if (done && _errors.Count == 0)
        {
            return;
        }

        string detail = string.Join('\n', _errors.Prepend(message).Where(m => m.Length > 0));
        throw new CompilerBugException($"LLVM {stage}", detail.TrimEnd());
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDiagnostic(LLVMOpaqueDiagnosticInfo* info, void* self)
    {
        LLVMDiagnosticSeverity severity = LLVM.GetDiagInfoSeverity(info);
        if (severity is LLVMDiagnosticSeverity.LLVMDSError or LLVMDiagnosticSeverity.LLVMDSWarning)
        {
            var module = (LlvmModule)GCHandle.FromIntPtr((nint)self).Target!;
            List<string> messages = severity == LLVMDiagnosticSeverity.LLVMDSError ? module._errors : module._warnings;
            messages.Add(MarshaledString.ReadAndDispose(LLVM.GetDiagInfoDescription(info)));
        }
    }
}
