import asyncio
import json
import websockets

async def websocket_client():
    uri = "ws://localhost:8000/ws"
    
    async with websockets.connect(uri) as websocket:
        # 클라이언트 정보 전송
        client_info = {
            "type": "client_info",
            "data": {
                "client_id": "python_client_1",
                "user_agent": "Python WebSocket Client",
                "timestamp": "2024-01-01T12:00:00Z"
            }
        }
        await websocket.send(json.dumps(client_info))
        
        # 메시지 수신 루프
        async for message in websocket:
            data = json.loads(message)
            print(f"수신된 메시지: {data}")

# 실행
asyncio.run(websocket_client())
